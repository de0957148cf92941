"""Both networks that read pages, which are taught together."""

from dataclasses import dataclass

import numpy as np

from mnistry.fields import check_fields
from mnistry.models.detector import Detector, DetectorConfig
from mnistry.models.model import Trainable
from mnistry.models.verifier import Verifier, VerifierConfig


@dataclass(frozen=True)
class ReaderConfig:
    """The features of a detector and of a verifier."""

    detector: tuple[int, int, int, int] = DetectorConfig().features
    """See `DetectorConfig.features`."""
    verifier: tuple[int, int, int, int] = VerifierConfig().features
    """See `VerifierConfig.features`."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")

    def build(self, random: np.random.Generator) -> "Reader":
        """Draws the initial weights of both."""
        detector = DetectorConfig(self.detector).build(random)
        return Reader(detector, VerifierConfig(self.verifier).build(random))


class Reader(Trainable):
    """A detector, which finds digits on pages, and a verifier, which looks at them again."""

    detector: Detector
    verifier: Verifier
