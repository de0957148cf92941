"""Images stored in another way than MNIST's: inverted, transposed, or on another scale."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import Dataset, Examples, content_hashes
from mnistry.errors import InvalidValueError


@dataclass(frozen=True)
class ImageForm:
    """How a data set stores its images, where that is not how MNIST does."""

    invert: bool = False
    """The images are dark on light: black and white are exchanged."""
    transpose: bool = False
    """Rows and columns are stored exchanged, as EMNIST's are: they are turned back."""
    full_scale: float | None = None
    """The pixel value of the strongest ink, such as 16. Without it 255, or 1 if no value is above 1."""

    def __post_init__(self) -> None:
        if self.full_scale is not None and not 0 < self.full_scale < float("inf"):
            raise InvalidValueError(f"`full_scale` must be above 0 and finite, not {self.full_scale}")

    def upright(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Images of this form, uint8 `[n, 28, 28]`, turned into MNIST's form, uint8 `[n, 28, 28]`."""
        if self.transpose:
            images = np.ascontiguousarray(images.transpose(0, 2, 1))
        return 255 - images if self.invert else images

    def applied(self, dataset: Dataset) -> Dataset:
        """The data set with its images as MNIST stores them."""
        if not (self.invert or self.transpose):
            return dataset

        def turned(part: Examples) -> Examples:
            return Examples(self.upright(part.images), part.labels)

        changed = replace(
            dataset,
            train=turned(dataset.train),
            test=turned(dataset.test),
            validation=dataset.validation and turned(dataset.validation),
            source=f"{dataset.source}, " + " and ".join(self._done()),
        )
        return replace(changed, sha256=content_hashes(changed.train, changed.validation, changed.test))

    def arguments(self) -> str:
        """The arguments of `load` that say it, each in backticks."""
        given = [
            f"`{name}={value:.6g}`" if name == "full_scale" else f"`{name}=True`"
            for name, value in asdict(self).items()
            if value
        ]
        return ", ".join(given)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> "ImageForm":
        """What `to_json` gave."""
        return ImageForm(**values)

    def _done(self) -> list[str]:
        return ["inverted"] * self.invert + ["transposed"] * self.transpose


AS_MNIST = ImageForm()
