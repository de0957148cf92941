"""Models of one's own: any Equinox module, or function with weights, that gives logits for images.

A class that derives from `OwnModel` is a configuration, and all the engine needs to know: it is trained,
measured, saved and resumed as mnistry's own models are. There is no table to enter it in.
"""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.layers import SIDE
from mnistry.models.model import CLASSES, PlainModel
from mnistry.own import OwnConfig, Undefined


class OwnModel(OwnConfig):
    """A configuration of a model of one's own; derive from it, and give the model by `network`.

    What derives from it becomes a frozen dataclass, whose fields, JSON values, a run keeps.

    >>> class Linear(OwnModel):
    ...     scale: float = 0.1
    ...
    ...     def network(self, key: Array) -> Any:
    ...         def apply(weights: Array, images: Array, key: Array | None) -> Array:
    ...             return images.reshape(len(images), -1) @ weights
    ...
    ...         return jax.tree_util.Partial(apply, self.scale * jax.random.normal(key, (784, 10)))
    >>> Linear(scale=0.5).build(np.random.default_rng(0))(jnp.zeros((3, 28, 28))).shape
    (3, 10)
    """

    def __post_init__(self) -> None:
        check_fields(self, within="model.")

    def network(self, key: Array) -> Any:
        """The model and its first weights: an Equinox module, or `jax.tree_util.Partial(function, weights)`.

        It is called with images, float32 `[batch, 28, 28]`, 0 (paper) to 1 (ink), and a random key, and
        returns logits, float32 `[batch, 10]`. In use, the key is None: nothing may be random then. Equinox's
        dropout is switched off. Its arrays of floats are trained; all else in it is constant.

        Args:
            key: random key, for the initial weights.
        """
        raise NotImplementedError

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "OwnNet":
        """Draws the initial weights.

        Raises:
            InvalidValueError: what `network` gives returns no logits for these classes.
        """
        network = self.network(jax.random.key(int(random.integers(2**32))))
        if not callable(network):
            raise InvalidValueError(
                f"{type(self).__name__}.network must return what can be called with images and a key, "
                f"not {type(network).__name__}"
            )
        net = OwnNet.of(network)
        images = jax.ShapeDtypeStruct((2, SIDE, SIDE), jnp.float32)
        found = jax.eval_shape(lambda net, images: net.folded(images[None])(images), net, images)
        shape, dtype = getattr(found, "shape", None), getattr(found, "dtype", None)
        if shape != (2, classes) or dtype != jnp.float32:
            raise InvalidValueError(
                f"{type(self).__name__}: for images float32 [2, {SIDE}, {SIDE}] its network must give logits "
                f"float32 [2, {classes}], found {dtype} {list(shape or ())}"
            )
        return net


class UndefinedModel(Undefined, OwnModel):
    """See `Undefined`."""

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "OwnNet":
        """Raises RunError."""
        raise self.error()


class OwnNet(PlainModel):
    """A model of one's own as the engine takes it: its weights, and what of it is constant."""

    weights: Any  # the network, None in place of all but arrays of floats
    constants: "_Constants" = eqx.field(static=True)

    @classmethod
    def of(cls, network: Any) -> Self:
        """Takes a network apart."""
        weights, constants = eqx.partition(network, eqx.is_inexact_array)
        if not jax.tree.leaves(weights):
            raise InvalidValueError(
                f"{type(network).__name__} holds no weights: expected JAX arrays of floats in an Equinox "
                "module, or in `jax.tree_util.Partial(function, weights)`"
            )
        return cls(weights, _Constants(constants))

    def __call__(self, images: Array, key: Array | None = None, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`. Where rows are missing, others are repeated in their place."""
        logits: Array = eqx.combine(self.weights, self.constants.tree)(images, key)
        return logits

    def folded(self, batches: Array) -> Self:
        """The model with Equinox's dropout switched off."""
        del batches
        return self.of(eqx.nn.inference_mode(eqx.combine(self.weights, self.constants.tree)))


class _Constants:
    """Part of a network that is not trained; equal where structure and values are, so that JAX can tell."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        leaves, structure = jax.tree.flatten(tree)
        self._told = (structure, tuple(map(_told, leaves)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Constants) and self._told == other._told

    def __hash__(self) -> int:
        return hash(self._told)


def _told(leaf: Any) -> Any:
    """A value that is equal for equal leaves, and can be hashed."""
    if isinstance(leaf, jax.Array | np.ndarray):
        array = np.asarray(leaf)
        return array.shape, str(array.dtype), array.tobytes()
    return leaf
