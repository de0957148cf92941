import numpy as np
import pytest

from mnistry.data.sheet import draw_sheet
from mnistry.errors import InvalidValueError

IMAGES = np.zeros((5, 28, 28), np.uint8)


def test_images_are_in_rows_and_twice_their_size() -> None:
    images = np.stack([np.full((28, 28), 40 * number, np.uint8) for number in range(5)])
    sheet = np.asarray(draw_sheet(images, None, 3))
    assert sheet.shape == (2 * 62 + 6, 3 * 62 + 6)
    for number in range(5):
        row, column = divmod(number, 3)
        cell = sheet[6 + row * 62 :, 6 + column * 62 :][:56, :56]
        assert (cell == 40 * number).all()
    assert (sheet[:6] == 255).all()
    assert (sheet[68:, 130:] == 255).all(), "the place of a sixth image stays empty"


def test_captions_stand_below_their_image_and_inside_the_column() -> None:
    plain = np.asarray(draw_sheet(IMAGES, [" "] * 5, 5))
    written = np.asarray(draw_sheet(IMAGES, [" ", "7", " ", "wide " * 20, " "], 5))
    rows, columns = np.nonzero(plain != written)
    assert rows.min() >= 6 + 56
    assert set(np.unique((columns - 3) // 62)) == {1, 3}


def test_fewer_images_than_columns() -> None:
    assert draw_sheet(IMAGES[:2], None, 10).width == 2 * 62 + 6


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(InvalidValueError, match="needs images"):
        draw_sheet(IMAGES[:0], None, 3)
    with pytest.raises(InvalidValueError, match="needs images and columns, found 5 and 0"):
        draw_sheet(IMAGES, None, 0)
    with pytest.raises(InvalidValueError, match="5 images but 1 captions"):
        draw_sheet(IMAGES, ["one"], 3)
