"""How JAX is set up for training: the devices that share a step, and what was compiled before."""

import contextlib

import jax
import numpy as np
from jax.sharding import Mesh

from mnistry.data.fetch import cache_folder
from mnistry.recipes import Recipe


def make_mesh(recipe: Recipe) -> Mesh:
    """The devices that share each batch: as many as the recipe says, where there are so many.

    A CPU counts as one device unless it is divided before JAX is first used; so we divide it here.
    """
    with contextlib.suppress(RuntimeError):  # JAX is in use already, with the devices that it has
        jax.config.update("jax_num_cpu_devices", recipe.devices)
    count = min(recipe.devices, jax.device_count())
    if recipe.batch_size % count:
        count = 1
    return Mesh(np.array(jax.devices()[:count]), ("batch",))


def keep_compiled() -> None:
    """Keeps compiled programs in the cache folder, so that a second run of a recipe starts at once."""
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
