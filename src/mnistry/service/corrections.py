"""The folder of corrections: pictures with what is to be read in them, as users of the page say.

It is a folder as `mnistry teach` and `mnistry evaluate-pictures` take it, of one size at most.
"""

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from mnistry.atomic import write_bytes
from mnistry.data.decode import Decoded
from mnistry.data.skipped import is_litter
from mnistry.errors import DataError, InvalidValueError
from mnistry.reading.labels import LABELS, label_of_each, locked_labels, write_label
from mnistry.service.limits import Limits
from mnistry.service.problems import Problem

NAME_LENGTH = 16  # hexadecimal digits of a picture's SHA-256


class Corrections:
    """Keeps labelled pictures in a folder; any thread may."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """
        Args:
            folder: is made if it is missing; what is in it stays.
            limits: how much it may hold.

        Raises:
            InvalidValueError: the folder cannot be made or written to.
            DataError: its table of labels is not as it should be.
        """
        self._folder, self._limits = folder, limits
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with locked_labels(folder):
                label_of_each(folder)
        except OSError as error:
            raise InvalidValueError(
                f"`corrections`: {folder} cannot be written to: {error.strerror or error}"
            ) from error

    def count(self) -> int:
        """How many pictures there are."""
        return len(self._sizes())

    def keep(self, picture: Decoded, label: str) -> int:
        """Keeps a picture and its label. The same picture is kept once, with its latest label.

        Its upright grey levels are kept, all that the reader sees; nothing else that a file may tell, such as
        where a photo was taken.

        Returns:
            How many pictures there are now.

        Raises:
            Problem: the folder holds as much as it may, or cannot be written to (507).
        """
        content = png(picture)
        name = f"{hashlib.sha256(content).hexdigest()[:NAME_LENGTH]}.png"
        limits = self._limits
        try:
            with locked_labels(self._folder):
                sizes = self._sizes()
                if name not in sizes:
                    if len(sizes) >= limits.kept or sum(sizes.values()) + len(content) > limits.kept_bytes:
                        raise Problem(
                            507,
                            f"The folder of corrections holds as much as it may: {limits.kept:,} pictures or "
                            f"{limits.kept_mb:,} MB. Teach with them, then start the service with another.",
                        )
                    # First, as a label without its picture would be an error in the table.
                    write_bytes(self._folder / name, content)
            write_label(self._folder, name, label)
        except (OSError, DataError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise Problem(507, f"The correction could not be kept: {reason}.") from error
        return len(sizes.keys() | {name})

    def _sizes(self) -> dict[str, int]:
        """The pictures of the folder and their bytes."""
        try:
            return {
                path.name: path.stat().st_size
                for path in self._folder.iterdir()
                if not is_litter(path.name) and path.name != LABELS and path.is_file()
            }
        except OSError as error:
            raise Problem(507, f"The folder of corrections cannot be listed: {error.strerror}.") from error


def png(picture: Decoded) -> bytes:
    """The grey levels of a picture as a PNG file."""
    file = io.BytesIO()
    grey = np.rint(255 * np.clip(picture.grey, 0, 1)).astype(np.uint8)
    Image.fromarray(grey).save(file, format="png")
    return file.getvalue()
