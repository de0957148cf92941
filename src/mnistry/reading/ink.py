"""From grey levels to ink: what is paper, what is stroke, what is the sheet's edge or a ruled line.

`flat_ink` → `stroke_mask`. Both are pure functions of arrays.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]

SMALL = 28
MOST_INK = 0.6  # share of a drawing, cut out closely, that ink may cover
CROP_SIDE = 64
SHADE_SIDE = 96  # the shorter side of the small copy in which the paper's shade is found
WIDE_WINDOW, NARROW_WINDOW = 33, 13  # pixels of that copy
KEPT_BY_NARROW = 0.8
DARKEST_PAPER = 0.15
FAINTEST_CONTRAST = 0.06  # of the range from black to white; less is the noise of an empty page
OUTSTANDING = 10.0  # times the deviation of the paper's levels
ALONG = 0.4  # of a side: no digit touches so much of the border
EVEN = 0.06  # how far the levels of a frame are from each other
UNLIKE_FRAME = 0.06  # how far the page in a frame is from it
BORDERING = 0.9  # share of the page's border that must be so
WIDEST_FRAME = 0.3  # of the picture's side
BLURRED = 0.01  # of the page's side: where the frame's tone passes into the page's
CORNER = 8  # pixels from a box's corner within which its sides begin
THIN = 0.04  # of a side: how thick a line may be
SQUARES = 3  # lines each way from which paper is squared
EVENLY = 0.5  # how far a drawing reaches on one side of its level lines, as a share of the other side
REACHING, TURNING = (
    0.5,
    0.1,
)  # of a bar's length: what its digit has of it, how near to its end a stroke turns
SPANNING = 0.8  # a straight line that crosses so much of the picture was printed, not written


def flat_ink(grey: Grey) -> Grey:
    """Separates ink from paper: shadows and the shade of the paper are taken away.

    Ink is darker or lighter than the paper around it: to whichever side the strong deviations from the
    local medians lie; their cubes are summed, in which shadows weigh little. The shade of the paper at each
    place is what is left when strokes are taken out, by a window that is wider than they are. A narrow
    window follows shadows better, so it is taken unless strokes are so thick that they would be lost.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.

    Returns:
        float32 of the same shape: 0 is paper, larger is more ink. Dark ink is the share of the paper's light
        that it takes, light ink how much lighter it is.
    """
    height, width = grey.shape
    if min(height, width) < SMALL:  # small drawings have even paper, and strokes as wide as shadows would be
        level = float(np.quantile(grey, MOST_INK))
        light = ((grey - level) ** 3).sum() > 0
        return np.asarray(np.clip(grey - level if light else level - grey, 0, None))
    grey = without_frame(grey)
    small = shrunk(grey, min(1.0, SHADE_SIDE / min(height, width)))
    dark = False
    # Half the size again: medians take time, and are even over half a window.
    levels = np.rint(shrunk(small, 0.5) * 255).astype(np.uint8)
    windows = (WIDE_WINDOW // 2 | 1, NARROW_WINDOW // 2 | 1)
    if sum(_cubes(grey - _local_median(levels, grey, window)) for window in windows) < 0:
        grey, small, dark = np.asarray(1 - grey, np.float32), np.asarray(1 - small, np.float32), True
    wide, narrow = (_above_shade(grey, small, window) for window in (WIDE_WINDOW, NARROW_WINDOW))
    ink = narrow if _cubes(narrow) > KEPT_BY_NARROW * _cubes(wide) else wide
    # Ink takes away a share of the light that falls on the paper, so in a shadow it differs less.
    return np.asarray(ink / np.maximum(1 - grey + ink, DARKEST_PAPER), np.float32) if dark else ink


def without_frame(grey: Grey) -> Grey:
    """A picture whose frame of one tone, on some sides or all, goes on as the page inside it does.

    A margin is such a frame where nearly all that borders on it differs from it; next to a margin of the
    page itself hardly anything does, or a digit that is cut out closely, whose paper has the margin's tone.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.

    Returns:
        float32 of the same shape.
    """
    height, width = grey.shape
    tones = [side[0, 0] for side in _sides(grey)]
    margins = [_margin(side) for side in _sides(grey)]
    while any(margins):
        top, bottom, left, right = margins
        page = grey[top : height - bottom, left : width - right]
        edge = 1 + round(BLURRED * min(page.shape))
        frame = [
            margin
            * bool(
                (np.abs(side[edge : 4 * edge] - tone) > UNLIKE_FRAME).mean() > BORDERING
                and (np.abs(side - tone) <= UNLIKE_FRAME).mean() < MOST_INK
            )
            for margin, side, tone in zip(margins, _sides(page), tones, strict=True)
        ]
        if frame == margins:
            top, bottom, left, right = (margin + edge if margin else 0 for margin in margins)
            page = grey[top : height - bottom, left : width - right]
            filled = cv2.copyMakeBorder(page, top, bottom, left, right, cv2.BORDER_REPLICATE)
            return np.asarray(filled, np.float32)
        margins = frame
    return grey


def _sides(array: NDArray[Any]) -> list[NDArray[Any]]:
    """An array seen from its top, bottom, left and right: views whose first row lies along that side."""
    return [array, array[::-1], array.T, array.T[::-1]]


def _margin(grey: Grey) -> int:
    """How many of the first rows are of one tone; 0 if they are too many for a frame."""
    most = round(WIDEST_FRAME * len(grey)) + 1
    tone = grey[0, 0]
    even = (grey[:most].max(axis=1) - tone <= EVEN) & (tone - grey[:most].min(axis=1) <= EVEN)
    return 0 if even.all() else int(even.argmin())


def shrunk(picture: Grey, scale: float) -> Grey:
    """A smaller copy, by averaging areas; `scale` is at most 1."""
    height, width = picture.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _local_median(levels: NDArray[np.uint8], grey: Grey, window: int) -> Grey:
    return _enlarged(np.asarray(cv2.medianBlur(levels, window) / 255, np.float32), grey)


def _above_shade(grey: Grey, small: Grey, window: int) -> Grey:
    """What is stronger than the shade of the paper, in which strokes narrower than the window are not."""
    shade = np.asarray(
        cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((window, window), np.uint8)), np.float32
    )
    return np.asarray(np.maximum(grey - _enlarged(shade, grey, window / 4), 0))


def _enlarged(small: Grey, like: Grey, blur: float = 0) -> Grey:
    """A small picture, smoothed, at the size of another."""
    smooth = cv2.GaussianBlur(small, (0, 0), blur) if blur else small
    height, width = like.shape
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _cubes(values: Grey) -> float:
    return float((values * values * values).sum())


def stroke_mask(ink: Grey) -> Mask:
    """Which pixels are strokes.

    Args:
        ink: float32 `[height, width]` from `flat_ink`.

    Returns:
        bool of the same shape; all False where no ink stands out from the paper.
    """
    strength = (ink * (255 / max(float(ink.max()), 1e-6))).astype(np.uint8)
    nothing = np.zeros(ink.shape, bool)
    left_out = nothing
    for _ in range(3):
        values = strength[~left_out]
        if not values.size:
            return nothing
        threshold, _ = cv2.threshold(values, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        mask = (strength > threshold) & ~left_out
        if not mask.any():
            return nothing
        if min(mask.shape) < SMALL:  # a digit may fill it from side to side
            break
        mask &= ~printed_lines(mask)
        edge = sheet_edge(mask)
        if not edge.any():
            break
        left_out = left_out | cv2.dilate(edge.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        mask &= ~left_out
    if not mask.any():
        return nothing
    paper = ink[~mask & ~left_out]
    contrast = float(ink[mask].mean()) - (float(paper.mean()) if paper.size else 0.0)
    if contrast < FAINTEST_CONTRAST:
        return nothing
    return mask


def faint_strokes(ink: Grey, strong: Mask) -> Mask:
    """Strokes of a fainter pen: what stands out far from the paper away from the strong strokes.

    Args:
        ink: float32 `[height, width]` from `flat_ink`.
        strong: from `stroke_mask`.

    Returns:
        bool of the same shape; all False where nothing does.
    """
    # With what was left out for good reason, such as the sheet's edge, which is as strong.
    image = (ink >= ink[strong].min()).astype(np.uint8)
    rim = image - cv2.erode(image, np.ones((3, 3), np.uint8))
    thickness = 2 * int(image.sum()) / max(1, int(rim.sum()))
    reach = 2 * math.ceil(thickness) + 1
    away = cv2.dilate(image, np.ones((reach, reach), np.uint8)) == 0
    full = float(np.median(ink[strong]))
    strength = np.minimum(ink * (255 / full), 255).astype(np.uint8)
    nothing = np.zeros(ink.shape, bool)
    sample = strength[::2, ::2][away[::2, ::2]]
    if not sample.any():
        return nothing
    threshold, _ = cv2.threshold(sample, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    paper, stroke = sample[sample <= threshold], sample[sample > threshold]
    if not paper.size or not stroke.size:
        return nothing
    contrast = float(stroke.mean() - paper.mean())
    if contrast < max(FAINTEST_CONTRAST / full * 255, OUTSTANDING * float(paper.std())):
        return nothing
    faint = np.asarray((strength > threshold) & away)
    return np.asarray(faint & ~printed_lines(faint))


def sheet_edge(mask: Mask) -> Mask:
    """The pieces that run along the picture's border: the edge of the sheet, the table under it, a shadow.

    Of a thin line along the border only the line, not the strokes that reach down to it.
    """
    edge = np.zeros(mask.shape, bool)
    if max(side[0].mean() for side in _sides(mask)) <= ALONG:
        return edge
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    for side, found in zip(_sides(labels), _sides(edge), strict=True):
        thin = max(2, round(THIN * len(side)))
        numbers, lengths = np.unique(side[0][side[0] > 0], return_counts=True)
        for number in numbers[lengths > ALONG * side.shape[1]]:
            piece = side == number
            if piece[thin].mean() < ALONG / 2:
                piece[thin:] = False
            found |= piece
    return edge


def printed_lines(mask: Mask) -> Mask:
    """Ruled lines: thin, straight, and right across the picture, level or upright.

    Where a stroke crosses a line, the line is thicker than elsewhere, and is left. What is left so near to
    the lines that it is no stroke, such as their crossings and ragged edges, goes with them.
    """
    level = _level_lines(mask)
    if not level.any() or _is_drawn(level, mask) or all(_is_bar(line, mask) for line in _one_by_one(level)):
        return np.zeros(mask.shape, bool)
    upright = _level_lines(mask.T).T
    # An upright line may well be a one; squared paper has many lines both ways, and a box has corners.
    squared = min(_runs(level.max(axis=1)), _runs(upright.max(axis=0))) >= SQUARES
    lines = np.asarray(level | upright if squared else level | _box_sides(mask, level))
    return mask & ~_beside_lines(mask, lines)


def _beside_lines(mask: Mask, lines: Mask) -> Mask:
    """The strokes that are left without the lines, but for what is as near to them as their ragged edges."""
    left = mask & ~lines
    _, labels = cv2.connectedComponents(left.astype(np.uint8), connectivity=8)
    return np.isin(labels, np.unique(labels[left & ~_near(lines)]))


def _near(lines: Mask) -> Mask:
    return cv2.dilate(lines.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)


def _one_by_one(level: Mask) -> list[Mask]:
    """Level lines, each alone."""
    edges = np.diff(level.any(axis=1).astype(int), prepend=0, append=0)
    rows = np.arange(len(level))[:, None]
    spans = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    return [level & (top <= rows) & (rows < bottom) for top, bottom in spans]


def _is_bar(line: Mask, mask: Mask) -> bool:
    """Whether a level line is part of a digit: the base of a two, the bar of a seven, the cap of a five.

    There the one stroke that it has turns into it at one of its ends, and reaches along it. A ruled line
    runs on beyond what stands on it.
    """
    strokes = _beside_lines(mask, line)
    columns, touching = np.flatnonzero(line.any(axis=0)), np.flatnonzero((strokes & _near(line)).any(axis=0))
    if not len(touching):
        return False
    _, labels = cv2.connectedComponents(strokes.astype(np.uint8), connectivity=8)
    touched = np.flatnonzero(np.isin(labels, np.unique(labels[strokes & _near(line)])).any(axis=0))
    first, last = int(columns[0]), int(columns[-1])
    length = last - first
    if touched[-1] - touched[0] < REACHING * length:
        return False
    beyond_left = CORNER if first == 0 else TURNING * length
    beyond_right = CORNER if last == line.shape[1] - 1 else TURNING * length
    middle = (first + last) / 2
    at_left = touching[0] <= first + beyond_left and touching[-1] < middle
    at_right = touching[-1] >= last - beyond_right and touching[0] > middle
    return bool(at_left or at_right)


def _is_drawn(level: Mask, mask: Mask) -> bool:
    """Whether level lines are part of a drawing, such as a cross, that ends inside the picture.

    What they touch then reaches about as far above them as below; writing stands on a line.
    """
    rows, columns = np.flatnonzero(level.any(axis=1)), np.flatnonzero(level.any(axis=0))
    if columns[0] == 0 or columns[-1] == level.shape[1] - 1:
        return False
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    touched = np.flatnonzero(np.isin(labels, np.unique(labels[level])).any(axis=1))
    above, below = rows[0] - touched[0], touched[-1] - rows[-1]
    return bool(min(above, below) > max(EVENLY * max(above, below), THIN * len(mask)))


def _box_sides(mask: Mask, level: Mask) -> Mask:
    """The upright lines that join the ends of two level ones."""
    sides = np.zeros(mask.shape, bool)
    rows, columns = np.flatnonzero(level.any(axis=1)), np.flatnonzero(level.any(axis=0))
    if _runs(level.max(axis=1)) < 2:
        return sides
    between = slice(int(rows[0]), int(rows[-1]) + 1)
    sides[between] = _level_lines(mask[between].T).T
    inside = slice(int(columns[0]) + CORNER, max(0, int(columns[-1]) + 1 - CORNER))
    sides[:, inside] = False
    return sides


def _runs(marked: Mask) -> int:
    """How many runs of True there are."""
    return int((np.diff(marked.astype(int), prepend=0) == 1).sum())


def _level_lines(mask: Mask) -> Mask:
    height, width = mask.shape
    if min(height, width) < SMALL or max(height, width) < CROP_SIDE:  # there, a stroke may be as long
        return np.zeros(mask.shape, bool)
    image = mask.astype(np.uint8)
    runs = cv2.morphologyEx(image, cv2.MORPH_OPEN, np.ones((1, max(12, width // 8)), np.uint8))
    if runs.any(axis=0).mean() < SPANNING / 2:  # as good as all pictures; the rest takes time
        return np.zeros(mask.shape, bool)
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((3, max(12, width // 4)), np.uint8))
    if joined.any(axis=0).mean() <= SPANNING:
        return np.zeros(mask.shape, bool)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    long = stats[:, cv2.CC_STAT_WIDTH] > SPANNING * width
    thin = stats[:, cv2.CC_STAT_AREA] < max(5, THIN * height) * stats[:, cv2.CC_STAT_WIDTH]
    kept = np.flatnonzero(long & thin)
    kept = kept[kept > 0]
    if not len(kept):
        return np.zeros(mask.shape, bool)
    line = (runs > 0) & np.isin(labels, kept)
    thickness = max(2.0, float(np.median(line.sum(axis=0)[line.any(axis=0)])))
    tall = cv2.morphologyEx(image, cv2.MORPH_OPEN, np.ones((round(2 * thickness) + 1, 1), np.uint8))
    return np.asarray(line & (tall == 0))
