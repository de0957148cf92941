"""Tesseract in digit mode, given pictures as it likes them: dark on light, large enough, with a border.

Page segmentation mode 6, a block of text, reads single handwritten digits better than 10, a character, and
8 and 13 do, and amounts as well as 7, a line; so it is used for all.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mnistry.data.decode import Picture, open_picture
from mnistry.errors import PictureError

LEAST_SIDE = 60  # pixels: a digit that fills two thirds of the picture is then 40 high
BORDER = 20


def executable() -> str:
    """Where Tesseract is.

    Raises:
        SystemExit: it is not installed.
    """
    path = shutil.which("tesseract")
    if path is None:
        raise SystemExit(
            "tesseract is not installed: apt-get install tesseract-ocr, or leave it out of --peers"
        )
    return path


def version() -> str:
    """Such as `tesseract 5.3.0`."""
    done = subprocess.run([executable(), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def prepared(picture: Picture) -> Image.Image:
    """The picture as Tesseract gets it; what cannot be read is an empty page."""
    try:
        grey = open_picture(picture).grey
    except PictureError:
        grey = np.ones((1, 1), np.float32)
    margin: NDArray[np.float32] = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = float(np.median(margin))
    if paper < 0.5:
        grey, paper = 1 - grey, 1 - paper
    image = Image.fromarray(np.rint(255 * grey).astype(np.uint8))
    image = ImageOps.scale(image, max(1.0, LEAST_SIDE / min(image.size)), Image.Resampling.BICUBIC)
    return ImageOps.expand(image, BORDER, round(255 * paper))


def read_all(pictures: Sequence[Picture]) -> tuple[list[tuple[str, ...]], float]:
    """Reads many pictures in one process, or in several where one of them makes Tesseract crash.

    Returns:
        The lines of each picture, none where it crashed; and the seconds that Tesseract took, without
        the making of its pictures.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.png" for number in range(len(pictures))]
        for path, picture in zip(paths, pictures, strict=True):
            prepared(picture).save(path)
        started = time.perf_counter()
        pages = _read(paths)
        seconds = time.perf_counter() - started
    return [tuple(line.strip() for line in page.splitlines() if line.strip()) for page in pages], seconds


def _read(paths: list[Path]) -> list[str]:
    """The text of each file; of those of a process that crashes, each half is tried anew."""
    command = [executable(), "-", "stdout", "--psm", "6"]
    command += ["-c", "tessedit_char_whitelist=0123456789"]
    # Its threads cost more than they save on pictures as small as these.
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    listed = "".join(f"{path}\n" for path in paths)
    try:
        done = subprocess.run(
            command, input=listed, capture_output=True, text=True, check=True, env=environment
        )
    except subprocess.CalledProcessError:
        if len(paths) == 1:
            return [""]
        half = len(paths) // 2
        return _read(paths[:half]) + _read(paths[half:])
    return done.stdout.split("\f")[: len(paths)]
