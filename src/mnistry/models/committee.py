"""Several models that answer together."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.conv import ConvNet, ConvNetConfig, FoldedConvNet
from mnistry.models.model import CLASSES, FoldedModel, Model


@dataclass(frozen=True)
class CommitteeConfig:
    """Convolutional nets that are trained side by side and answer together."""

    members: tuple[ConvNetConfig, ...] = (ConvNetConfig(), ConvNetConfig())
    """The members; each has its own share of every batch."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")
        if not self.members or len({member.no_digit for member in self.members}) > 1:
            raise InvalidValueError("`model.members` must be one or more models with the same classes")

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "Committee":
        """Draws the initial weights of all members."""
        return Committee(tuple(member.build(random, classes) for member in self.members))


class Committee(Model):
    """Nets that learn side by side, each from its own share of every batch, as if it were trained alone.

    Source: Ciresan, Meier and Schmidhuber, "Multi-column deep neural networks for image classification",
    2012.
    """

    members: tuple[ConvNet, ...]

    def __call__(self, images: Array, key: Array, present: Array | None = None) -> Array:
        """Returns the logits, of each row those of the member that learns from it; see `Model`.

        The batch must be a multiple of the members. Its rows are dealt out in turn, so that a short batch
        goes to all of them, too.
        """
        keys = jax.random.split(key, self.shares)
        logits = [
            member(
                images[place :: self.shares],
                own,
                None if present is None else present[place :: self.shares],
            )
            for place, (member, own) in enumerate(zip(self.members, keys, strict=True))
        ]
        return jnp.stack(logits, axis=1).reshape(len(images), -1)

    @property
    def shares(self) -> int:
        """As many as there are members; see `Model`."""
        return len(self.members)

    def folded(self, batches: Array) -> "FoldedCommittee":
        """All members folded; see `Model.folded`."""
        return FoldedCommittee(tuple(member.folded(batches) for member in self.members))


class FoldedCommittee(FoldedModel):
    """The mean of the members' log-probabilities."""

    members: tuple[FoldedConvNet, ...]

    def __call__(self, images: Array) -> Array:
        """Returns the logits; see `FoldedModel`."""
        answers = jnp.stack([jax.nn.log_softmax(member(images)) for member in self.members])
        return answers.mean(axis=0)
