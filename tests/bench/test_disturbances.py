"""Pages are disturbed in twenty ways, always the same, and keep their labels."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import disturbances
from mnistry.reading.labels import Labelled, read_labels

Grey = NDArray[np.float32]


@pytest.fixture(scope="module")
def page() -> Grey:
    """Dark strokes on light paper."""
    grey = np.full((60, 90), 0.9, np.float32)
    grey[20:40, 20:24] = 0.1
    grey[20:24, 50:64] = 0.1
    return grey


def test_there_are_twenty_ways() -> None:
    assert len(disturbances.DISTURBANCES) == 20


@pytest.mark.parametrize("way", disturbances.DISTURBANCES)
def test_a_way_changes_the_page_always_in_the_same_way(page: Grey, way: str) -> None:
    once, again = (disturbances.disturbed(page, way, "1.png") for _ in range(2))
    assert np.array_equal(once, again)
    assert once.dtype == np.float32
    assert once.min() >= 0
    assert once.max() <= 1
    assert once.shape != page.shape or np.abs(once - page).mean() > 0.001


def test_what_is_random_differs_between_pages(page: Grey) -> None:
    first, second = (disturbances.disturbed(page, "noise", name) for name in ("1.png", "2.png"))
    assert not np.array_equal(first, second)


def test_the_clean_page_is_the_page_itself(page: Grey) -> None:
    assert np.array_equal(disturbances.disturbed(page, disturbances.CLEAN, "1.png"), page)


def test_what_lies_on_a_table_is_whole(page: Grey) -> None:
    """Right of and below a table's part, or between two of them, lies the page."""
    left = disturbances.disturbed(page, "dark surface at the left", "1.png")
    assert left.shape == (60, 117)
    assert np.array_equal(left[:, 27:], page)
    assert left[:, :27].max() < 0.5
    around = disturbances.disturbed(page, "dark surface all around", "1.png")
    assert np.array_equal(around[12:72, 18:108], page)


def test_a_table_stands_out_from_light_ink_on_dark_paper_too(page: Grey) -> None:
    left = disturbances.disturbed(1 - page, "dark surface at the left", "1.png")
    assert left[:, :27].min() > 0.5


@pytest.mark.parametrize(
    ("way", "back"), [("turned left", -1), (disturbances.ON_ITS_HEAD, 2), ("turned right", 1)]
)
def test_turned_pages_are_turned(page: Grey, way: str, back: int) -> None:
    assert np.array_equal(np.rot90(disturbances.disturbed(page, way, "1.png"), back), page)


def test_the_frames_are_around_the_page(page: Grey) -> None:
    black = disturbances.disturbed(page, "black frame", "1.png")
    assert np.array_equal(black[2:-2, 2:-2], page)
    assert black[0].max() == black[:, -1].max() == 0
    ruled = disturbances.disturbed(page, "ruled frame", "1.png")
    assert np.array_equal(ruled[4:-4, 4:-4], page)
    assert ruled[2].min() < 0.2 < ruled[0].min()


def test_pages_are_written_with_their_labels(page: Grey, tmp_path: Path) -> None:
    levels = np.rint(255 * page).astype(np.uint8)
    pages = [Labelled("one.png", levels, ("12 3", "4")), Labelled("two.png", levels, ("69",))]
    disturbances.make(pages, tmp_path / "once")
    found = read_labels(tmp_path / "once")
    of_one = [one for one in found if one.name.startswith("one-")]
    of_two = [one for one in found if one.name.startswith("two-")]
    assert [one.kind for one in of_one] == [disturbances.CLEAN, *disturbances.DISTURBANCES]
    assert {one.lines for one in of_one} == {("12 3", "4")}
    # On its head, 69 is 69, but 6 alone would be 9: who could tell?
    assert {one.kind for one in of_one} - {one.kind for one in of_two} == {disturbances.ON_ITS_HEAD}
    disturbances.make(pages, tmp_path / "again")
    for one in found:
        assert (tmp_path / "once" / one.name).read_bytes() == (tmp_path / "again" / one.name).read_bytes()
    assert np.array_equal(cv2.imread(str(tmp_path / "once" / "one-00.png"), cv2.IMREAD_GRAYSCALE), levels)
