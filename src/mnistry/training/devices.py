"""How JAX is set up for training: the devices that share a step, and what was compiled before."""

import contextlib
from collections.abc import Callable

import jax
import numpy as np
from jax.sharding import Mesh

from mnistry.data.fetch import cache_folder
from mnistry.recipes import Recipe

MOST_CPU_DEVICES = 64  # more pieces than processors have cores take memory and give nothing


def make_mesh(recipe: Recipe, warn: Callable[[str], None]) -> Mesh:
    """The devices that share each batch: as many as the recipe says, where there are so many and the batch
    can be divided by them, else as many fewer as it takes.

    A CPU counts as one device unless it is divided before JAX is first used; so we divide it here.

    Args:
        recipe: says how many devices, and the size of a batch.
        warn: is told where they are fewer.
    """
    with contextlib.suppress(RuntimeError):  # JAX is in use already, with the devices that it has
        jax.config.update("jax_num_cpu_devices", min(recipe.devices, MOST_CPU_DEVICES))
    available = min(recipe.devices, jax.device_count())
    count = next(count for count in range(available, 0, -1) if recipe.batch_size % count == 0)
    if count < recipe.devices:
        reason = "there is 1" if jax.device_count() == 1 else f"there are {jax.device_count()}"
        if count < jax.device_count():
            reason += f", and they share a batch of {recipe.batch_size} evenly"
        warn(f"{count} of the {recipe.devices} devices that were asked for are used: {reason}")
    return Mesh(np.array(jax.devices()[:count]), ("batch",))


def keep_compiled() -> None:
    """Keeps compiled programs in the cache folder, so that a second run of a recipe starts at once."""
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
