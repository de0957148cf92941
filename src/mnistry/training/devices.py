"""How JAX is set up for training: the devices that share a step, and what was compiled before."""

import contextlib
import os
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mnistry.data.fetch import cache_folder
from mnistry.errors import InvalidValueError, TrainingError
from mnistry.recipes import Recipe
from mnistry.training import processes
from mnistry.training.compiled import shares_by_itself

MOST_CPU_DEVICES = 64  # more pieces than processors have cores take memory and give nothing
SHARED = "batch"  # the axis of the mesh: what is shared by its devices

Tree = TypeVar("Tree")


def make_mesh(recipe: Recipe, warn: Callable[[str], None]) -> Mesh:
    """The devices that share each batch: in each process as many as the recipe says, where there are so many
    and the batch can be divided by them, else as many fewer as it takes.

    A CPU counts as one device unless it is divided before JAX is first used; so we divide it here. One is
    enough where a compiled kernel shares the batch among the cores by itself.

    Args:
        recipe: says how many devices, and the size of a batch.
        warn: is told where they are fewer.

    Raises:
        InvalidValueError: the processes cannot share a batch evenly.
        TrainingError: JAX does not know of all the processes.
    """
    with contextlib.suppress(RuntimeError):  # JAX is in use already, with the devices that it has
        jax.config.update("jax_num_cpu_devices", min(recipe.devices, MOST_CPU_DEVICES))
    there = Counter(device.process_index for device in jax.devices())
    if len(there) != processes.count():
        raise TrainingError(
            f"{processes.count()} processes were started, and JAX has devices of {len(there)}: each would "
            "train by itself. Set JAX_PLATFORMS to the same platform for all of them"
        )
    if recipe.batch_size % len(there):
        raise InvalidValueError(
            f"`batch_size={recipe.batch_size}` cannot be shared evenly by {len(there)} processes; choose a "
            "multiple"
        )
    if processes.count() == 1 and shares_by_itself(recipe.model):
        return Mesh(np.array(jax.devices()[:1]), (SHARED,))
    fewest = min(there.values())
    available = min(recipe.devices, fewest)
    count = next(count for count in range(available, 0, -1) if recipe.batch_size % (count * len(there)) == 0)
    if count < recipe.devices:
        reason = "there is 1" if fewest == 1 else f"there are {fewest}"
        if count < fewest:
            reason += f", and they share a batch of {recipe.batch_size} evenly"
        warn(f"{count} of the {recipe.devices} devices that were asked for are used: {reason}")
    used = [
        [device for device in jax.devices() if device.process_index == process][:count]
        for process in sorted(there)
    ]
    return Mesh(np.array(used).reshape(-1), (SHARED,))


def on_devices(tree: Tree, mesh: Mesh, *spec: str | None) -> Tree:
    """Arrays that every process has, on the devices of all: each puts there what belongs on its own.

    Args:
        tree: the arrays, the same in all processes.
        mesh: the devices.
        spec: for each axis of an array, whether the devices share it; by default each has all of it.
    """
    sharding = NamedSharding(mesh, PartitionSpec(*spec))
    if sharding.is_fully_addressable:
        placed: Tree = jax.device_put(tree, sharding)
        return placed

    def place(array: np.ndarray) -> jax.Array:
        whole = np.asarray(array)
        return jax.make_array_from_callback(whole.shape, sharding, lambda index: whole[index])

    return jax.tree.map(place, tree)  # type: ignore[no-any-return]


def on_this_host(tree: Tree) -> Tree:
    """Arrays that all devices have, as this process alone may compute with them."""
    if processes.count() == 1:
        return tree
    return jax.tree.map(lambda array: jnp.asarray(np.asarray(array)), tree)  # type: ignore[no-any-return]


def spare_cores() -> int:
    """Cores that are free to draw what is learnt from: with an accelerator all but one; else one, which keeps
    up with a network that learns on the others."""
    return 1 if jax.default_backend() == "cpu" else max(1, len(os.sched_getaffinity(0)) - 1)


def keep_compiled() -> None:
    """Keeps compiled programs in the cache folder, so that a second run of a recipe starts at once."""
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
