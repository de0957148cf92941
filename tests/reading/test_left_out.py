"""What stands among digits and was not read is counted."""

import cv2
import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.reading.left_out import pieces_left_out
from mnistry.reading.recognizer import Recognizer


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(threads=1)


def page_of(optdigits: Dataset, text: str, scale: int) -> np.ndarray:
    """A row of four digits with capitals below, dark on light."""
    digits = np.hstack([np.pad(image, ((0, 0), (0, 8))) for image in optdigits.test.images[:4]])
    page = np.pad(cv2.resize(digits, None, fx=scale, fy=scale), ((30, 40 * scale), (30, 30)))
    for place, letter in enumerate(text):
        corner = (40 + 30 * scale * place, page.shape[0] - 10 * scale)
        cv2.putText(page, letter, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale, 255, 2 * scale)
    return np.asarray(255 - page, np.uint8)


@pytest.mark.parametrize("scale", [1, 3, 8])
@pytest.mark.parametrize("inverted", [False, True])
def test_letters_among_digits_are_counted(optdigits: Dataset, scale: int, inverted: bool) -> None:
    page = page_of(optdigits, "HWE", scale)
    digits = [(30 + 36 * scale * n, 30, 30 + (36 * n + 28) * scale, 30 + 28 * scale) for n in range(4)]
    grey = (255 - page if inverted else page).astype(np.float32) / 255
    assert pieces_left_out(grey, digits, 20 * scale) == 3
    assert pieces_left_out(grey, digits[:3], 20 * scale) == 4


def test_ruled_lines_frames_and_specks_are_no_letters() -> None:
    page = np.ones((200, 400), np.float32)
    page[60:80, 100:104] = 0  # a digit
    page[90:92] = 0
    page[20:22, 20:380] = page[180:182, 20:380] = page[20:182, 20:22] = page[20:182, 378:380] = 0
    page[120:123, 200:203] = 0
    assert pieces_left_out(page, [(98, 59, 106, 81)], 20) == 0
    page[120:123, 200:214] = 0  # a minus
    assert pieces_left_out(page, [(98, 59, 106, 81)], 20) == 1


def test_the_reader_notes_them(recognizer: Recognizer, optdigits: Dataset) -> None:
    reading = recognizer.read(page_of(optdigits, "HWE", 3))
    assert len(reading.digits) == 4
    assert reading.notes == ("3 pieces of ink were left out, as letters or signs",)
    assert reading.to_json()["notes"] == list(reading.notes)
    assert recognizer.read(page_of(optdigits, "", 3)).notes == ()
    (note,) = recognizer.read(page_of(optdigits, "W", 3)).notes
    assert note.startswith("1 piece of ink was left out")
