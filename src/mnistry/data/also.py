"""Digits by other people, to be learnt from beside the training part of a data set."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mnistry.data.catalog import CATALOG
from mnistry.data.dataset import DIGITS, Dataset, Examples, content_hashes
from mnistry.data.split import Split
from mnistry.errors import DataError, InvalidValueError


def with_digits_of_others(
    parts: Split,
    dataset: Dataset,
    names: Sequence[str],
    data_dir: Path | str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Split:
    """The parts, with the training parts of other sets of digits at the end of that for training.

    Their test parts are left alone, so that the model can be measured on them.

    Args:
        parts: of the data set.
        dataset: the data set.
        names: of the other sets, of `mnistry.data.catalog.OTHER_HANDS`.
        data_dir: a folder to look in first; see `load`.
        say: is told what is going to be downloaded.

    Raises:
        InvalidValueError: the classes of the data set are no digits.
        DataNotFoundError: no place has one of the sets.
        DataError: one holds images that are to be measured on.
    """
    if not names:
        return parts
    from mnistry.data.handwriting.examples import load_handwriting

    if dataset.class_names != DIGITS:
        raise InvalidValueError(
            f"`also={tuple(names)!r}` are digits; the classes of {dataset.name} are "
            f"{', '.join(dataset.class_names[:3])}, …. Leave `also` out"
        )
    held_out = {
        part: {image.tobytes() for image in examples.images}
        for part, examples in (("validation", parts.validation), ("test", parts.test))
    }
    train, sha256 = [parts.train], {}
    for name in names:
        other = load_handwriting(CATALOG[name], data_dir, say=say).train
        for part, known in held_out.items():
            if shared := sum(image.tobytes() in known for image in other.images):
                raise DataError(
                    f"{name}: {shared:,} of its {len(other):,} training images are in the {part} part of "
                    f"{dataset.name}, too, which is not to be learnt from. Leave it out of `also`."
                )
        train.append(other)
        sha256[name] = content_hashes(other, None, other[:0])["train"]
    images, labels = (
        np.concatenate([getattr(part, field) for part in train]) for field in ("images", "labels")
    )
    return replace(parts, train=Examples(images, labels), also=sha256)
