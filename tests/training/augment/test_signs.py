"""Letters and signs as strokes: even points on the strokes, within the box, no letter that is a digit."""

import string

import numpy as np

from mnistry.training.augment.signs import (
    FONTS,
    LETTER_POINTS,
    LETTERS,
    SIGNS,
    STROKES,
    STYLE_LABELS,
    STYLES,
    hershey_letters,
)

DRAWN = hershey_letters()


def _plain(letter: str) -> np.ndarray:
    """The points, row and column, of a letter of the first font, which has plain strokes."""
    return DRAWN[LETTERS.index(letter)]


def test_each_font_has_its_characters() -> None:
    assert DRAWN.shape == (sum(map(len, FONTS.values())), LETTER_POINTS, 2)
    assert np.isfinite(DRAWN).all()
    ends = np.cumsum([len(characters) for characters in FONTS.values()])
    of_fonts = dict(zip(FONTS, np.split(DRAWN, ends[:-1]), strict=True))
    # The other fonts have some drawings of these, or one twice.
    differing = np.concatenate([of_fonts[font] for font in list(FONTS)[:9] if font != "cursive"])
    assert len(differing) == 8 * len(LETTERS)
    assert len(np.unique(differing, axis=0)) == len(differing)
    for font, characters in FONTS.items():
        if font not in ("cyrillic", "greek", "japanese", "symbolic", "mathlow"):
            looks_like_a_digit = set("OoQDdIiJjlZzSsGbyBgq")
            assert set(characters) <= set(string.ascii_letters) - looks_like_a_digit, font


def test_characters_fill_their_box() -> None:
    np.testing.assert_allclose(np.abs(DRAWN).max(axis=(1, 2)), 1, atol=1e-6)
    np.testing.assert_allclose(DRAWN.min(axis=1) + DRAWN.max(axis=1), 0, atol=1e-6)


def test_the_points_of_a_letter_lie_on_its_two_strokes() -> None:
    rows, columns = _plain("L").T
    upright, level = np.isclose(columns, columns.min()), np.isclose(rows, 1)
    assert (upright | level).all()
    assert rows.min() == -1
    # 21 units high and 12 wide, so 21/33 of the 159 steps, 101.2, go down and the others to the right.
    assert (upright.sum(), level.sum()) == (102, 58)
    steps = np.abs(np.diff(rows[upright]))
    np.testing.assert_allclose(steps, steps[0], atol=1e-5)


def test_signs_and_styles_have_the_same_form() -> None:
    assert SIGNS.shape[1:] == STYLES.shape[1:] == (STROKES, 4, 2)
    assert len(STYLES) == len(STYLE_LABELS)
    for curves in (SIGNS, STYLES):
        drawn = curves[(curves < 5).all(axis=(2, 3))]  # strokes that there are not lie far outside
        assert np.abs(drawn).max() <= 1.25
