"""Signs and letters that are no digits, and digits in styles that MNIST hardly has, as strokes of a pen."""

from functools import cache
from itertools import pairwise

import numpy as np
from HersheyFonts import HersheyFonts

STROKES = 5  # at most, of one sign
NOWHERE = np.full((4, 2), 99)  # a stroke far outside, of signs that have fewer

_STROKES_OF = {
    "A": "0840 4088 2565",
    "round A": "0803 03006063 6368 0565",
    "narrow A": "1840 4068 2555",
    "C": "71000877",
    "round C": "72600004 04086876",
    "E": "0008 0060 0454 0868",
    "F": "0008 0060 0454",
    "round E": "62100434 34040866",
    "narrow F": "2028 2060 2454",
    "H": "0008 6068 0464",
    "K": "0008 6004 0468",
    "L": "0008 0868",
    "narrow L": "2028 2858",
    "slanted L": "4018 1858",
    "M": "0800 0045 4580 8088",
    "N": "0800 0068 6860",
    "P": "0008 00808504",
    "narrow P": "1018 10707414",
    "R": "0008 00808504 0468",
    "T": "0080 4048",
    "U": "0005 05096965 6560",
    "U with a tail": "1005 05096965 6068 6878",
    "V": "0048 4880",
    "W": "0028 2842 4268 6880",
    "round W": "00093943 43498980",
    "X": "0068 6008",
    "Y": "0034 6034 3438",
    "a": "63010967 6268",
    "a with a tail": "62010866 62677888",
    "narrow a": "52020956 5258",
    "a with a roof": "12307064 6468 64040967",
    "low a with a roof": "13217165 6568 64110866",
    "c": "62000866",
    "round c": "63520204 04175765",
    "e": "0464 64600004 04095967",
    "slanted e": "0563 63610105 05086877",
    "f": "60203338 1454",
    "straight f": "60304048 2363",
    "long f": "70404018 1555",
    "h": "0008 04226268",
    "k": "0008 5205 0568",
    "narrow k": "2028 5224 2458",
    "m": "0208 04114148 44518188",
    "n": "0208 04226268",
    "p": "0009 01808605",
    "pointed n": "1218 1258 5852",
    "r": "0208 04123152",
    "t": "30383968 0363",
    "straight t": "4048 2363",
    "low t": "20263858 0444",
    "u": "02095965 6268",
    "v": "0238 3862",
    "w": "0228 2843 4368 6882",
    "x": "0268 6208",
    "round x": "12404818 62303868",
    "euro": "71000877 0353 0555",
    "triangle": "0840 4088 0888",
    "cross": "4048 0484",
    "arrow": "0484 5184 8457",
    "arrow up": "4840 2240 4062",
    "slanted arrow": "6820 1420 2042",
    "question mark": "12107044 4446 4848",
    "heart": "43400003 0348 4883 83804043",
    "narrow heart": "42200448 42608448",
    "flat heart": "42300103 0358 4885 85817042",
    "smiling face": "04008084 84890904 25375765 3233 5253",
    "round face": "04008084 84890904 25365665 3132 5152",
    "sad face": "04008084 84890904 26344466 3233 5253",
    "plain face": "04008084 84890904 2666 3233 5253",
    "wide smile": "04008084 84890904 15287875 2324 6364",
    "check mark": "0438 3880",
    "wave": "04203844 44606884",
    "pentagram": "4068 6803 0383 8328 2840",
    "grid": "2028 6068 0282 0686",
    "wide grid": "1018 4048 7078 0282 0686",
    "hatching": "0080 0282 0484 0686 0888",
}
"""The strokes of each sign, on a grid of nine columns and nine rows.

A stroke is a straight one between two points, or a cubic Bézier curve with four; a point is its column and
its row, counted from the left and the top.
"""

_STYLES = (
    (0, "40000848 48888040 40526280"),
    (1, "4048 4005"),
    (1, "4048 41302607"),
    (1, "4048 4005 2868"),
    (1, "4048 4003 1878"),
    (1, "18567050 50304658"),
    (4, "5015 1575 5348"),
    (4, "30160635 3585 6358"),
    (4, "4005 0575 5258"),
    (4, "6015 1575 6358"),
    (4, "5014 14066664 6448"),
    (4, "20050565 6158"),
    (4, "10050574 7078"),
    (4, "6006 0686 6068"),
    (4, "5006 06556468"),
    (4, "5007 07454578"),
    (4, "6007 0744 44646558"),
    (4, "30050766 6168"),
    (5, "1013 13827808 1060"),
    (5, "2014 14838808 3070"),
    (7, "0161 6128 1454"),
    (7, "0271 71404538 2565"),
    (7, "0103 0171 7138 1565"),
    (9, "61000563 6165 65685818"),
    (9, "61000563 61676828 28080625"),
    (9, "52101453 5255 55775808"),
    (9, "61000563 61545138"),
    (9, "71100574 71787838"),
    (9, "71200564 7118"),
    (9, "62200553 62534518"),
    (9, "71200564 71635528"),
    (9, "50202352 5048"),
    (9, "60203362 6138"),
    (9, "60200144 44746060 24858808"),
    (9, "52000353 53636252 53888808"),
    (9, "60104464 64616064 6418"),
    (9, "3118 12408034"),
    (9, "4018 31608524"),
    (9, "5028 41708634"),
)
"""Digits and their strokes: flagged ones, open fours, crossed sevens, curled and mirrored nines."""


def _curves(strokes: str) -> np.ndarray:
    """Float32 `[STROKES, 4, 2]`: control points as row and column, from -1 to 1."""
    curves = []
    for stroke in strokes.split():
        points = np.array(
            [[int(row), int(column)] for column, row in zip(stroke[::2], stroke[1::2], strict=True)]
        )
        if len(points) == 2:
            points = points[0] + np.linspace(0, 1, 4)[:, None] * (points[1] - points[0])
        curves.append(points / 4 - 1)
    return np.array(curves + [NOWHERE] * (STROKES - len(curves)), np.float32)


SIGNS = np.stack([_curves(strokes) for strokes in _STROKES_OF.values()])
"""Float32 `[signs, STROKES, 4, 2]`: row and column of the control points, from -1 to 1."""

STYLES = np.stack([_curves(strokes) for _, strokes in _STYLES])
"""Float32 `[styles, STROKES, 4, 2]`, as `SIGNS`."""
STYLE_LABELS = np.array([digit for digit, _ in _STYLES], np.int32)
"""The digit of each."""

LETTERS = "ACEFHKLMNPRTUVWXYacefhkmnprtuvwx"  # the others have shapes of digits
FONTS = {
    "futural": LETTERS,
    "timesr": LETTERS,
    "timesrb": LETTERS,
    "timesi": LETTERS,
    "timesib": LETTERS,
    "cursive": LETTERS,
    "scripts": LETTERS,
    "scriptc": LETTERS,
    "gothiceng": LETTERS,
    "gothitt": "ACEFHKLMNPRUVWYacefhkmnprtuvwx",
    "cyrillic": "ADEGHIKLMNPQRTWXadeghiklmnpqrtwx",
    "greek": "CDFGPSUWXachklmnptuwy",
    "japanese": "$%&')*+,-./014567DEFGIKMNUVWXZ^_`abdfnoqrxy{|}",
    "symbolic": ">FGJLMNOPQRSTUWXYZ[]^_`abcdfghjknpwxyz{|~",
    "mathlow": "!#%&';@bcegijklnow",
}
"""Hershey's fonts, and the characters of each that are no digits: letters of several scripts, and signs."""
LETTER_POINTS = 160


def _evenly(strokes: list[np.ndarray]) -> np.ndarray:
    """Points `[LETTER_POINTS, 2]` at even distances along strokes, from -1 to 1 where they reach farthest."""
    steps = np.array([step for stroke in strokes for step in pairwise(stroke)])
    begins, ends = steps[:, 0], steps[:, 1]
    lengths = np.hypot(*(ends - begins).T)
    until = lengths.cumsum()
    places = np.linspace(0, until[-1], LETTER_POINTS)
    which = np.minimum(np.searchsorted(until, places), len(until) - 1)
    left = ((until[which] - places) / lengths[which])[:, None]
    points = left * begins[which] + (1 - left) * ends[which]
    low, high = points.min(axis=0), points.max(axis=0)
    return np.asarray((2 * points - low - high) / (high - low).max())


@cache
def hershey_letters() -> np.ndarray:
    """Float32 `[letters, LETTER_POINTS, 2]`: row and column of points along the strokes, from -1 to 1.

    Letters of four scripts, and signs; from A. V. Hershey's "Calligraphy for computers", 1967.
    Made when first asked for, as unpacking the fonts takes a fifth of a second.
    """
    fonts, letters = HersheyFonts(), []
    for font, characters in FONTS.items():
        fonts.load_default_font(font)
        for character in characters:
            strokes = [np.array(stroke, np.float64)[:, ::-1] for stroke in fonts.strokes_for_text(character)]
            letters.append(_evenly(strokes))
    return np.array(letters, np.float32)
