"""What is done to images before they are learnt from."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.recipes import RECIPES
from mnistry.training.augmentation import augmented

STEPS = 200


@pytest.mark.parametrize(
    ("step", "strength"), [(0, 1), (100, 1), (150, 0.6), (200, 0.2)], ids=["first", "half", "later", "last"]
)
def test_augmentation_fades_evenly_over_the_second_half(step: int, strength: float) -> None:
    fading = replace(RECIPES["marathon"], steps=STEPS, fading=0.8)
    amounts = {name: getattr(fading, name) * strength for name in ("shift", "rotation", "stretch", "bend")}
    even = replace(fading, fading=0.0, **amounts)
    key, images = jax.random.key(3), jax.random.uniform(jax.random.key(4), (20, 28, 28))
    labels = jnp.arange(20) % 10
    faded, same_labels = augmented(fading, key, images, labels, step)
    np.testing.assert_allclose(faded, augmented(even, key, images, labels, 0)[0], atol=1e-4)
    np.testing.assert_array_equal(same_labels, labels)
