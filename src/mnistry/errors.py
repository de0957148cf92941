"""Every error that mnistry raises on purpose.

    MnistryError                 the command line prints it without a traceback and exits with 2
    ├── UnknownNameError         a recipe, data set or class that does not exist; suggests the nearest
    ├── InvalidValueError        a value out of its range, or two values that contradict each other
    ├── DataError                a data file or data set is damaged or not what it should be
    │   ├── IdxError             an IDX file breaks the format
    │   └── DataNotFoundError    a data set that no place has
    ├── PictureError             a picture that cannot be read, or holds no digit to read
    │   ├── PictureFormatError   it is in no format that is read, or no picture at all
    │   ├── PictureSizeError     it takes more pixels, bytes, time or memory than a picture may
    │   └── BusyError            the machine has too much to do now; later it may be read
    ├── RunError                 a run folder lacks something or is damaged
    │   └── CheckpointError      a checkpoint that cannot be read back
    ├── TrainingError            training cannot go on, such as a loss that is not finite
    ├── ClusterError             a cluster that cannot be reached, or gave a job up
    └── ExportError              an exported model that does not agree with the trained one

Each message names the file or field, what was expected, what was found, and what to do. An argument stands
in backticks, as Python writes it (`devices=2`); the command line shows it as its flag (`--devices 2`).
"""

from collections.abc import Iterable
from difflib import get_close_matches


class MnistryError(Exception):
    """Base of all errors that mnistry raises on purpose."""


OTHER_NAMES = {
    "lr": "learning-rate",
    "wd": "l2-penalty",
    "weight-decay": "l2-penalty",
    "l2": "l2-penalty",
    "ema": "averaging",
    "iterations": "steps",
    "augment": "augmentation",
    "nesterov": "momentum",
    "mse": "squared-error",
    "brier": "squared-error",
    "ce": "cross-entropy",
    "nll": "cross-entropy",
    "xent": "cross-entropy",
    "exponential": "staircase",
    "onecycle": "triangular",
    "one-cycle": "triangular",
    "linear": "triangular",
}
"""What other libraries call a thing, and what it is called here."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, if any.

    >>> nearest("cosin", ["constant", "cosine"]), nearest("lr", ["learning_rate"]), nearest("x", ["softmax"])
    ('cosine', 'learning_rate', None)
    """
    by_form = {one.lower().replace("_", "-"): one for one in known}
    form = name.lower().replace("_", "-")
    found = get_close_matches(OTHER_NAMES.get(form, form), by_form, n=1, cutoff=0.5)
    return by_form[found[0]] if found else None


class UnknownNameError(MnistryError):
    """A name that is not in the table it was looked up in."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        """
        Args:
            kind: what the name should have been, such as `"recipe"`.
            name: the name that was looked up.
            known: the names that exist; the nearest one is suggested.
        """
        known = list(known)
        meant = nearest(name, known)
        names = ", ".join(known)
        super().__init__(
            f"there is no {kind} {name!r}. Did you mean {meant!r}? Known: {names}."
            if meant
            else f"there is no {kind} {name!r}. Known: {names}."
        )


class InvalidValueError(MnistryError):
    """A value out of its range, or values that contradict each other."""


class DataError(MnistryError):
    """A data file or data set is damaged or not what it should be."""


class IdxError(DataError):
    """An IDX file breaks the format."""


class DataNotFoundError(DataError):
    """A data set that is neither on this machine nor could be downloaded."""


class PictureError(MnistryError):
    """A picture that cannot be read, or in which there is no digit to read."""


class PictureFormatError(PictureError):
    """A file in no format that is read, or that is no picture at all."""


class PictureSizeError(PictureError):
    """A picture that takes more pixels, bytes, time or memory than one may."""


class BusyError(PictureError):
    """A picture that may be good, but cannot be read now: the machine has too much else to do."""


class RunError(MnistryError):
    """A run folder lacks something or is damaged."""


class CheckpointError(RunError):
    """A checkpoint that cannot be read back."""


class TrainingError(MnistryError):
    """Training cannot go on."""


class ClusterError(MnistryError):
    """A cluster cannot be reached, is not set up, or gave a job up."""


class ExportError(MnistryError):
    """An exported model that does not agree with the trained one."""
