"""How a picture was read, drawn on one sheet: copies and heat map, candidates, lines and groups, digits."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageOps

from mnistry.data.dataset import CLASSES
from mnistry.data.decode import Picture
from mnistry.reading import panels
from mnistry.reading.detector import FAINT, MARGIN, STRIDE, Box, Grey
from mnistry.reading.grouping import group_breaks
from mnistry.reading.judging import Found
from mnistry.reading.panels import MUTED, PAPER, RULE, TEXT, Colour, Panel
from mnistry.reading.recognizer import MIN_CONFIDENCE, Digit, Examination, Recognizer
from mnistry.reading.scales import Look, Region
from mnistry.reading.upright import Page

COPIES, STAGES = (110, 260), (330, 540)  # lowest and highest panels of the two rows, in pixels
LINE_STRIP = 130  # height of a line's piece of the page
LEAST_LABELLED = 22  # height of a box that a label does not hide
ZOOM = 4  # of the classifier's images
BAR_HEIGHT, BAR_PITCH = 44, 10
MOST_LINES, MOST_DIGITS = 12, 26  # that are drawn one by one; of the digits, in each line

KNOWN, UNKNOWN = (58, 84, 186), (205, 82, 24)
NONE = (168, 168, 176)
WARM, HOT = (255, 196, 0), (220, 24, 24)
"""Of the heat map: where a digit may be, and where one surely is."""
TOO_SMALL = (0, 140, 170)
"""Of the heat map: where digits are too small to be told."""
GROUPS = ((28, 138, 64), (112, 66, 176), (0, 128, 150), (176, 110, 0))
"""The colours of groups in turn."""

Kept = Sequence[tuple[Found, Digit]]
"""What was found to be digits, and how they are read."""


def draw_explanation(
    recognizer: Recognizer,
    picture: Picture,
    *,
    min_confidence: float = MIN_CONFIDENCE,
    deadline: float | None = None,
) -> Image.Image:
    """Draws how a picture is read: all stages on one sheet, each with a caption.

    Args:
        recognizer: reads it.
        picture: see `Recognizer.read`.
        min_confidence: see `Recognizer.read`.
        deadline: see `Recognizer.read`.

    Returns:
        A picture in colour, at most 1800 pixels wide.

    Raises:
        PictureError: the picture cannot be read.
    """
    examined = recognizer.examine(picture, min_confidence=min_confidence, deadline=deadline)
    blocks = [_answer(examined, min_confidence), _copies(examined), _stages(examined)]
    if examined.rows:
        explained = (
            "What stands at each place, as the classifier saw it, and the probabilities of 0 to 9 and of no "
            "digit (-), weighed from what detector, verifier and classifier say."
        )
        blocks.append(panels.stacked([panels.text("Each digit", 18), panels.text(explained, 14, MUTED)], 4))
    digits = iter(examined.reading.digits)
    for row, text in list(zip(examined.rows, examined.reading.lines, strict=True))[:MOST_LINES]:
        blocks.append(_line(examined, [(one, next(digits)) for one in row.digits], text))
    if len(examined.rows) > MOST_LINES:
        more = _counted(len(examined.rows) - MOST_LINES, "more line")
        blocks.append(panels.text(f"... and {more}", 15, MUTED))
    return ImageOps.expand(panels.stacked(blocks, 28), panels.BORDER, PAPER)


def _answer(examined: Examination, min_confidence: float) -> Image.Image:
    reading = examined.reading
    texts = [panels.text(" | ".join(reading.lines) or "no digit", 32)]
    if reading.digits:
        said = f"lowest confidence {reading.confidence:.3f}"
        if any(digit.digit is None for digit in reading.digits):
            said += f"; ? stands for a digit whose confidence is below {min_confidence:g}"
        texts.append(panels.text(said, 15, MUTED))
    return panels.stacked([*texts, *(panels.text(note, 15, UNKNOWN) for note in reading.notes)], 8)


def _copies(examined: Examination) -> Image.Image:
    """The picture, and each copy that the detector saw, with what it said of it."""
    picture = _image(examined.grey)
    size = f"Grey, {picture.width} x {picture.height} pixels"
    drawn = [Panel("The picture", size, picture.size, partial(panels.scaled, picture))]
    for number, look in enumerate(examined.page.looks, start=1):
        seen = look.page
        high, wide = (max(1, round(side * look.scale)) for side in examined.page.grey.shape)
        whole = look.regions == [(0, 0, seen.shape[1], seen.shape[0])]
        title = f"Copy {number}, {'whole' if whole else _counted(len(look.regions), 'region')}"
        copy = Image.fromarray(seen[MARGIN : MARGIN + high, MARGIN : MARGIN + wide]).convert("RGB")
        draw = partial(_looked_at, panels.paled(copy, 0.4), look)
        drawn.append(Panel(title, f"{wide} x {high} pixels", copy.size, draw))
    return panels.row(drawn, *COPIES)


def _stages(examined: Examination) -> Image.Image:
    """The upright page three times: where digits are seen, what may be one, and their lines and groups."""
    page, reading = examined.page, examined.reading
    image = _image(page.grey)
    angle = float(np.rad2deg(np.arctan2(page.origin[1, 0], page.origin[0, 0])))
    turned = f"Turned {abs(angle):.3g}° to the {'left' if angle > 0 else 'right'}; "
    places = f"{_counted(len(examined.found), 'place')} that may be a digit, {len(reading.digits):,} kept"
    read = f"{_counted(len(reading.lines), 'line')}, {_counted(len(reading.digits), 'digit')}"
    kept = list(zip((one for row in examined.rows for one in row.digits), reading.digits, strict=True))
    captions = {
        "The heat map": "Yellow to red: a digit; blue: too small to be told",
        "The candidates": (turned if abs(angle) > 0.1 else "") + places,
        "Lines and groups": read if reading.digits else "Nothing is read as a digit",
    }
    draws: list[Callable[[float], Image.Image]] = [
        partial(_heat_map, page),
        partial(_candidates, examined, kept, (0, 0, *image.size)),
        partial(_groups, examined),
    ]
    drawn = [Panel(*said, image.size, draw) for said, draw in zip(captions.items(), draws, strict=True)]
    return panels.row(drawn if page.looks else drawn[1:], *STAGES)


def _image(grey: Grey) -> Image.Image:
    return Image.fromarray((np.clip(grey, 0, 1) * 255).round().astype(np.uint8)).convert("RGB")


def _looked_at(copy: Image.Image, look: Look, zoom: float) -> Image.Image:
    """A copy with its heat map; what was not looked at is faded."""
    image = panels.scaled(copy, zoom)
    shown = panels.paled(image, 0.7)
    seen = _with_heat(image, [look], look.scale * zoom)
    for region in look.regions:
        left, top, right, bottom = _on_image(region, zoom, image.size)
        shown.paste(seen.crop((left, top, right, bottom)), (left, top))
        ImageDraw.Draw(shown).rectangle((left, top, right - 1, bottom - 1), outline=TOO_SMALL)
    return shown


def _heat_map(page: Page, zoom: float) -> Image.Image:
    return _with_heat(panels.paled(panels.scaled(_image(page.grey), zoom), 0.5), page.looks, zoom)


def _with_heat(image: Image.Image, looks: Sequence[Look], zoom: float) -> Image.Image:
    """Lays what the detector said over the page: digits in any copy, and what was too small in the last one.

    Args:
        image: the page.
        looks: its copies.
        zoom: pixels of the image for one of the page.
    """
    digits, small = (np.zeros((image.height, image.width), np.float32) for _ in range(2))
    for look in looks:
        step = STRIDE / look.scale * zoom
        for region, heat in zip(look.regions, look.heats, strict=True):
            left, top, right, bottom = _on_image(region, zoom / look.scale, image.size)
            # Places of a map, like pixels, are counted from their middles.
            x, y = ((edge - MARGIN) / look.scale * zoom + step / 2 - 0.5 for edge in region[:2])
            inside, size = (slice(top, bottom), slice(left, right)), (right - left, bottom - top)
            place = np.array([[step, 0, x - left], [0, step, y - top]])
            small[inside] = cv2.warpAffine(heat[CLASSES], place, size)
            strongest = cv2.warpAffine(heat[:CLASSES].max(axis=0), place, size)
            digits[inside] = np.maximum(digits[inside], strongest)
    digits, small = (np.clip((heat - FAINT) / (1 - 2 * FAINT), 0, 1)[..., None] for heat in (digits, small))
    warmth = WARM + np.subtract(HOT, WARM) * digits
    shown = np.asarray(image, np.float32)
    shown = shown + 0.6 * small * (TOO_SMALL - shown)
    shown = shown + 0.9 * digits**0.75 * (warmth - shown)
    return Image.fromarray(shown.round().astype(np.uint8))


def _on_image(region: Region, zoom: float, size: tuple[int, int]) -> Region:
    """Where a region of a copy lies on an image of it, without the margin that the detector saw around."""
    left, top, right, bottom = (round((edge - MARGIN) * zoom) for edge in region)
    left, top = min(max(0, left), size[0] - 1), min(max(0, top), size[1] - 1)
    return left, top, max(left + 1, min(size[0], right)), max(top + 1, min(size[1], bottom))


def _candidates(examined: Examination, kept: Kept, area: Region, zoom: float) -> Image.Image:
    """A part of the page with what may be digits in it: the kept ones strong, the rejected ones faint.

    Args:
        examined: what was found on the page.
        kept: what is drawn of that which is read.
        area: left, top, right, bottom of the part, in pixels of the page.
        zoom: pixels of the image for one of the page.
    """
    left, top, right, bottom = area
    image = panels.paled(panels.scaled(_image(examined.page.grey[top:bottom, left:right]), zoom), 0.4)
    draw = ImageDraw.Draw(image)

    def placed(one: Found) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = one.box
        return zoom * (x0 - left), zoom * (y0 - top), zoom * (x1 - left), zoom * (y1 - top)

    read = {one for row in examined.rows for one in row.digits}
    for one in examined.found:
        if one in read:
            continue
        box = placed(one)
        draw.rectangle(box, outline=NONE)
        if _room(box, chance := f"{one.present:.2f}"):
            draw.text((box[0] + 2, box[1] + 1), chance, MUTED, panels.font(_label_size(box)))
    named = [(placed(one), digit, f"{_name(digit)} {digit.confidence:.2f}") for one, digit in kept]
    short = len(named) > 1 and not all(_room(box, label) for box, _, label in named)
    for box, digit, label in named:
        draw.rectangle(box, outline=_colour(digit), width=2)
        if box[3] - box[1] >= LEAST_LABELLED:
            _label(draw, _name(digit) if short else label, box, _colour(digit), image.size)
    return image


def _groups(examined: Examination, zoom: float) -> Image.Image:
    """The page with a frame around each group, and before each line its number."""
    image = panels.paled(panels.scaled(_image(examined.page.grey), zoom), 0.4)
    draw = ImageDraw.Draw(image, "RGBA")
    lines = [[one.box for one in row.digits] for row in examined.rows]
    groups = 0
    for number, (line, breaks) in enumerate(zip(lines, group_breaks(lines), strict=True), start=1):
        starts = [at for at, after_gap in enumerate(breaks) if after_gap or at == 0]
        for start, end in pairwise([*starts, len(line)]):
            edges = zoom * np.array(line[start:end])
            left, top = (edges[:, :2].min(axis=0) - 4).tolist()
            right, bottom = (edges[:, 2:].max(axis=0) + 4).tolist()
            colour = GROUPS[groups % len(GROUPS)]
            draw.rounded_rectangle((left, top, right, bottom), 6, (*colour, 40), colour, 2)
            if start == 0:
                place, size = (max(left - 5, 16), (top + bottom) / 2), _label_size((left, top, right, bottom))
                draw.text(place, str(number), TEXT, panels.font(size), anchor="rm")
            groups += 1
    return image


def _line(examined: Examination, kept: Kept, text: str) -> Image.Image:
    """A line: its piece of the page, and a card for each of its digits."""
    boxes = np.array([one.box for one, _ in kept])
    around = 0.4 * np.median(boxes[:, 3] - boxes[:, 1])
    size = np.array(examined.page.grey.shape[::-1])
    low = np.clip(boxes[:, :2].min(axis=0) - around, 0, size - 1).astype(int)
    high = np.clip(np.ceil(boxes[:, 2:].max(axis=0) + around), low + 1, size).astype(int)
    wide, tall = (high - low).tolist()
    zoom = min(LINE_STRIP / tall, (panels.INNER - 2) / wide)
    strip = panels.framed(_candidates(examined, kept, (*low, *high), zoom))
    cards = [_card(digit, one) for one, digit in kept[:MOST_DIGITS]]
    if len(kept) > MOST_DIGITS:
        cards.append(panels.text(f"... and {_counted(len(kept) - MOST_DIGITS, 'more digit')}", 15, MUTED))
    title = panels.text(f"Line {kept[0][1].line + 1}:  {text}", 18)
    return panels.stacked([title, panels.flowed([strip, panels.flowed(cards)])], 8)


def _card(digit: Digit, found: Found) -> Image.Image:
    """What the classifier was given for one digit, and what it is taken for."""
    title = panels.text(f"{_name(digit)}  {digit.confidence:.3f}", 18, _colour(digit))
    chances = [*digit.probabilities, max(0.0, 1 - sum(digit.probabilities))]
    bars = Image.new("RGB", (BAR_PITCH * len(chances), BAR_HEIGHT + 14), PAPER)
    draw = ImageDraw.Draw(bars)
    for value, chance in enumerate(chances):
        x, high = value * BAR_PITCH, max(1, round(chance * BAR_HEIGHT))
        colour = _colour(digit) if chance == digit.confidence else MUTED
        bar = (x + 1, BAR_HEIGHT - high, x + BAR_PITCH - 2, BAR_HEIGHT - 1)
        draw.rectangle(bar, colour if high > 1 else RULE)
        name = "0123456789-"[value]
        draw.text((x + BAR_PITCH / 2, BAR_HEIGHT + 2), name, colour, panels.font(11), anchor="ma")
    return panels.stacked([title, panels.scaled(Image.fromarray(found.image).convert("RGB"), ZOOM), bars], 6)


def _label_size(box: Box) -> int:
    return int(np.clip(0.3 * (box[3] - box[1]), 10, 18))


def _room(box: Box, words: str) -> bool:
    """Whether a label is no wider than its box, so that it hides no other."""
    return panels.font(_label_size(box)).getlength(words) <= box[2] - box[0]


def _label(draw: ImageDraw.ImageDraw, words: str, box: Box, colour: Colour, within: tuple[int, int]) -> None:
    """Writes a label above a box, or, at the picture's upper edge, below it."""
    size = _label_size(box)
    width, height = round(panels.font(size).getlength(words)) + 6, size + 3
    y = box[1] - height if box[1] >= height else min(box[3] + 1, within[1] - height)
    x = max(0.0, min(box[0], within[0] - width))
    draw.rectangle((x, y, x + width - 1, y + height - 1), colour)
    draw.text((x + width / 2, y + height / 2), words, PAPER, panels.font(size), anchor="mm")


def _name(digit: Digit) -> str:
    return "?" if digit.digit is None else digit.name or str(digit.digit)


def _colour(digit: Digit) -> Colour:
    return UNKNOWN if digit.digit is None else KNOWN


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
