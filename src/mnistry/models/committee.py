"""Several models that answer together."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.models.conv import ConvNet, ConvNetConfig
from mnistry.models.layers import Model


@dataclass(frozen=True)
class CommitteeConfig:
    """Convolutional nets that are trained side by side and answer together."""

    members: tuple[ConvNetConfig, ...] = (ConvNetConfig(), ConvNetConfig())
    """The members; each has its own share of every batch."""

    def __post_init__(self) -> None:
        if not self.members or len({member.no_digit for member in self.members}) > 1:
            raise InvalidValueError("model.members must be one or more models with the same classes")

    def build(self, random: np.random.Generator) -> "Committee":
        """Draws the initial weights of all members."""
        return Committee(tuple(member.build(random) for member in self.members))


class Committee(Model):
    """The mean of the members' log-probabilities.

    While training, the batch is shared out among the members, each of which learns from its part alone;
    with an optimizer that works on each weight by itself, it is as if each were trained by itself.

    Source: Ciresan, Meier and Schmidhuber, "Multi-column deep neural networks for image classification",
    2012.
    """

    members: tuple[ConvNet, ...]

    def __call__(self, images: Array, key: Array | None = None) -> Array:
        """Returns the logits; see `Model`. While training, the batch must be a multiple of the members."""
        if key is None:
            answers = jnp.stack([jax.nn.log_softmax(member(images)) for member in self.members])
            return answers.mean(axis=0)
        shares = jnp.split(images, len(self.members))
        keys = jax.random.split(key, len(self.members))
        return jnp.concatenate(
            [member(share, own) for member, share, own in zip(self.members, shares, keys, strict=True)]
        )

    @property
    def classes(self) -> int:
        """See `Model`."""
        return self.members[0].classes

    def folded(self, batches: Array) -> "Committee":
        """All members folded; see `Model.folded`."""
        return Committee(tuple(member.folded(batches) for member in self.members))
