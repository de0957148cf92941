"""How a picture was read, drawn stage by stage: grey, ink, strokes, digits, and the cuts of each line."""

import textwrap
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from mnistry.data.dataset import CLASSES
from mnistry.data.decode import Picture
from mnistry.reading.ink import Grey, flat_ink
from mnistry.reading.page import Page, TextLine
from mnistry.reading.recognizer import MIN_CONFIDENCE, Digit, Examination, FoundLine, Recognizer
from mnistry.reading.segment import FREE, Box, Candidate, Line

WIDTH, MARGIN, GAP = 1800, 28, 20  # pixels of the drawing, as are the following
INNER = WIDTH - 2 * MARGIN
LOWEST_PANEL, HIGHEST_PANEL = 150, 560
LINE_STRIP = 160  # height of a line's strokes
ZOOM = 4  # of the model's images
BAR_HEIGHT, BAR_PITCH = 44, 10
MOST_LINES, MOST_DIGITS = 12, 26  # that are drawn one by one; of the digits, in each line

Colour = tuple[int, int, int]
PAPER, TEXT, MUTED, RULE = (255, 255, 255), (28, 28, 33), (100, 100, 110), (208, 208, 204)
KNOWN, UNKNOWN = (58, 84, 186), (205, 82, 24)
FREE_CUTS = (22, 150, 80), (150, 214, 176)
INK_CUTS = (214, 40, 40), (240, 176, 176)
PIECES = np.array(
    [
        PAPER,
        (0, 128, 150),
        (206, 110, 0),
        (112, 66, 176),
        (28, 138, 64),
        (206, 48, 112),
        (124, 104, 16),
        (16, 96, 196),
        (150, 60, 40),
    ],
    np.uint8,
)
"""The colours of the pieces in turn, after that of the paper."""


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
    blocks = [_answer(examined, min_confidence), _panels(examined)]
    if examined.lines:
        explained = (
            "Green cuts go through gaps, red ones through ink; the chosen ones are bold. For each digit, the "
            "image that the model is given, and the probabilities of 0 to 9, no digit (-) and several (+)."
        )
        blocks.append(_stacked([_text("5  Cuts and digits", 20), _text(explained, 15, MUTED)], 4))
    digits = iter(examined.reading.digits)
    for line, text in list(zip(examined.lines, examined.reading.lines, strict=True))[:MOST_LINES]:
        blocks.append(_line_block(line, [next(digits) for _ in line.digits], text))
    if len(examined.lines) > MOST_LINES:
        blocks.append(_text(f"... and {_counted(len(examined.lines) - MOST_LINES, 'more line')}", 15, MUTED))
    return ImageOps.expand(_stacked(blocks, 28), MARGIN, PAPER)


def _answer(examined: Examination, min_confidence: float) -> Image.Image:
    reading = examined.reading
    texts = [_text(" | ".join(reading.lines) or "no digit", 32)]
    if reading.digits:
        lowest = min(digit.confidence for digit in reading.digits)
        said = f"lowest confidence {lowest:.3f}"
        if any(digit.digit is None for digit in reading.digits):
            said += f"; ? stands for a digit whose confidence is below {min_confidence:g}"
        texts.append(_text(said, 15, MUTED))
    return _stacked([*texts, *(_text(note, 15, UNKNOWN) for note in reading.notes)], 8)


def _panels(examined: Examination) -> Image.Image:
    """The four stages of the whole picture, all of one height, in as many columns as keep them legible."""
    height, width = examined.grey.shape
    page, reading = examined.page, examined.reading
    upright = page.ink.shape[1] / page.ink.shape[0]
    aspects = [width / height, width / height, upright, upright]
    for columns in (4, 2, 1):
        space = INNER - (columns - 1) * GAP - 2 * columns  # a panel's frame adds a pixel on each side
        widest = max(sum(aspects[first : first + columns]) for first in range(0, 4, columns))
        panel_height = max(1, min(HIGHEST_PANEL, int(space / widest)))
        if panel_height >= LOWEST_PANEL:
            break
    images = [
        _scaled(image, panel_height / image.height)
        for image in (
            _grey_image(examined.grey),
            _ink_image(examined),
            Image.fromarray(_coloured(page.pieces.labels)),
            _upright(examined),
        )
    ]
    _draw_boxes(images[3], examined, panel_height / page.ink.shape[0])
    pieces = len(page.pieces.boxes)
    read = f"{_counted(len(reading.lines), 'line')}, {_counted(len(reading.digits), 'digit')}"
    captions = [
        ("1  The picture", f"Grey, {width} x {height} pixels"),
        ("2  The ink", "Shade and shadows are gone"),
        (
            "3  The strokes",
            f"{_turn(page)}{_counted(pieces, 'piece')}" if pieces else "Nothing stands out from the paper",
        ),
        ("4  The digits", read if reading.digits else "Nothing is read as a digit"),
    ]
    return _flowed(
        [
            _stacked([_text(title, 20), _text(caption, 15, MUTED), _framed(image)], 4)
            for (title, caption), image in zip(captions, images, strict=True)
        ]
    )


def _turn(page: Page) -> str:
    angle = float(np.rad2deg(np.arctan2(page.origin[1, 0], page.origin[0, 0])))
    if abs(angle) < 0.1:
        return ""
    return f"Turned {abs(angle):.4g}° to the {'left' if angle > 0 else 'right'}; "


def _grey_image(grey: Grey) -> Image.Image:
    return Image.fromarray((np.clip(grey, 0, 1) * 255).round().astype(np.uint8)).convert("RGB")


def _ink_image(examined: Examination) -> Image.Image:
    # As dark as strokes usually are; where there is none, noise shall look like noise.
    strokes = examined.page.ink[examined.page.mask]
    full = float(np.median(strokes)) if strokes.size else 1.0
    return _grey_image(1 - flat_ink(examined.grey) / max(full, 1e-3))


def _coloured(labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    return PIECES[np.where(labels > 0, 1 + (labels - 1) % (len(PIECES) - 1), 0)]


def _upright(examined: Examination) -> Image.Image:
    """The grey picture as upright and level as the page, a little paler."""
    height, width = examined.page.ink.shape
    turned = _grey_image(examined.grey).transform(
        (width, height),
        Image.Transform.AFFINE,
        tuple(examined.page.origin.ravel()),
        Image.Resampling.BILINEAR,
        fillcolor=PAPER,
    )
    return Image.blend(turned, Image.new("RGB", turned.size, PAPER), 0.4)


def _draw_boxes(image: Image.Image, examined: Examination, scale: float) -> None:
    """Draws the lines and the digits' boxes and answers on the upright page.

    Args:
        image: the page.
        examined: what was found on it.
        scale: pixels of the image for one of the page.
    """
    draw = ImageDraw.Draw(image)

    def framed(line: TextLine, box: Box, distance: float) -> tuple[float, float, float, float]:
        left, top, right, bottom = (scale * edge for edge in line.on_page(box))
        right, bottom = min(right + distance, image.width), min(bottom + distance, image.height)
        return max(0.0, left - distance), max(0.0, top - distance), right - 1, bottom - 1

    boxes = []
    for line in examined.lines:
        height, width = line.text.line.strokes.shape
        draw.rectangle(framed(line.text, (0, 0, width, height), 5), outline=MUTED)
        boxes += [framed(line.text, candidate.box, 2) for candidate, _ in line.digits]
    digits = examined.reading.digits
    for digit, box in zip(digits, boxes, strict=True):
        draw.rectangle(box, outline=_colour(digit), width=2)
    if not digits:
        return
    size = int(np.clip(0.35 * np.median([box[3] - box[1] for box in boxes]), 12, 22))
    labels = [f"{_name(digit)}  {digit.confidence:.2f}" for digit in digits]
    lengths = [_font(size).getlength(label) for label in labels]
    if any(length > box[2] - box[0] for length, box in zip(lengths, boxes, strict=True)) and len(digits) > 1:
        labels = [_name(digit) for digit in digits]  # longer ones would hide each other
    for digit, box, label in zip(digits, boxes, labels, strict=True):
        width, height = round(_font(size).getlength(label)) + 6, size + 2
        # Above the box, or, at the picture's upper edge, below it.
        y = box[1] - height if box[1] >= height else min(box[3] + 1, image.height - height)
        x = max(0.0, min(box[0], image.width - width))
        draw.rectangle((x, y, x + width - 1, y + height - 1), _colour(digit))
        draw.text((x + width / 2, y + height / 2), label, PAPER, _font(size), anchor="mm")


def _line_block(line: FoundLine, digits: list[Digit], text: str) -> Image.Image:
    found = [candidate for candidate, _ in line.digits]
    whole = line.text.line.uncut()
    uncut = whole is not None and len(found) == 1 and found[0].box == whole.box
    strip = _strip(line.text.line, None if uncut else found)
    title = f"Line {digits[0].line + 1}:  {text}" + ("  (one digit, without a cut)" if uncut else "")
    cards = [
        _card(digit, candidate, chances)
        for digit, (candidate, chances) in list(zip(digits, line.digits, strict=True))[:MOST_DIGITS]
    ]
    if len(digits) > MOST_DIGITS:
        cards.append(_text(f"... and {_counted(len(digits) - MOST_DIGITS, 'more digit')}", 15, MUTED))
    return _stacked([_text(title, 18), _flowed([_framed(strip), _flowed(cards)])], 8)


def _strip(line: Line, found: list[Candidate] | None) -> Image.Image:
    """The strokes of a line, with its cuts if it was cut."""
    height, width = line.strokes.shape
    scale = min(LINE_STRIP / height, (INNER - 2) / width)
    image = _scaled(_grey_image(1 - line.strokes), scale)
    if found is None:
        return image
    draw = ImageDraw.Draw(image)
    chosen = {_cheapest_beside(line, cut) for candidate in found for cut in (candidate.first, candidate.last)}
    rows = (np.arange(height) + 0.5) * scale
    inner = range(1, len(line.paths) - 1)
    for number in sorted(inner, key=chosen.__contains__):  # the chosen ones on top
        columns = (line.paths[number] + 1) * scale
        points = [(columns[0], 0), *zip(columns, rows, strict=True), (columns[-1], image.height)]
        strong, pale = FREE_CUTS if line.prices[number] < FREE else INK_CUTS
        if number in chosen:
            draw.line(points, strong, 3, joint="curve")
        else:
            draw.line(points, pale)
    return image


def _cheapest_beside(line: Line, cut: int) -> int:
    """The cheapest of the cuts that have no ink between them and a cut, so that any of them would do."""
    first = last = cut
    while first > 0 and line.boxes[first - 1] is None:
        first -= 1
    while last < len(line.boxes) and line.boxes[last] is None:
        last += 1
    return first + int(np.argmin(line.prices[first : last + 1]))


def _card(digit: Digit, candidate: Candidate, chances: NDArray[np.float64]) -> Image.Image:
    """What the model was given for one digit, and what it answered."""
    image = Image.fromarray(candidate.image).convert("RGB")
    title = _text(f"{_name(digit)}  {digit.confidence:.3f}", 18, _colour(digit))
    bars = Image.new("RGB", (BAR_PITCH * len(chances), BAR_HEIGHT + 14), PAPER)
    draw = ImageDraw.Draw(bars)
    for value, chance in enumerate(chances.tolist()):
        x = value * BAR_PITCH
        likeliest = value == int(chances[:CLASSES].argmax())
        colour = _colour(digit) if likeliest else MUTED
        draw.rectangle((x + 1, BAR_HEIGHT - 1, x + BAR_PITCH - 2, BAR_HEIGHT - 1), RULE)
        if round(chance * BAR_HEIGHT) > 0:
            draw.rectangle(
                (x + 1, BAR_HEIGHT - round(chance * BAR_HEIGHT), x + BAR_PITCH - 2, BAR_HEIGHT - 1), colour
            )
        name = f"{value}" if value < CLASSES else "-+"[value - CLASSES]
        draw.text((x + BAR_PITCH / 2, BAR_HEIGHT + 2), name, colour, _font(11), anchor="ma")
    return _stacked([title, _scaled(image, ZOOM), bars], 6)


def _name(digit: Digit) -> str:
    return "?" if digit.digit is None else digit.name or str(digit.digit)


def _colour(digit: Digit) -> Colour:
    return UNKNOWN if digit.digit is None else KNOWN


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels have FreeType
    return font


def _text(text: str, size: int, colour: Colour = TEXT) -> Image.Image:
    """A text as an image, in as many lines as it needs."""
    lines = textwrap.wrap(text, int(INNER / (0.6 * size)))
    pitch = round(1.3 * size)
    width = max(int(_font(size).getlength(line)) + 2 for line in lines)
    image = Image.new("RGB", (width, pitch * len(lines)), PAPER)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((0, number * pitch), line, colour, _font(size))
    return image


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    """Larger with its pixels to be seen, or smaller and smooth."""
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST if scale >= 3 else Image.Resampling.LANCZOS)


def _framed(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, 1, RULE)


def _stacked(images: Sequence[Image.Image], gap: int) -> Image.Image:
    """Images one below the other."""
    size = (max(image.width for image in images), sum(image.height + gap for image in images) - gap)
    sheet = Image.new("RGB", size, PAPER)
    top = 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height + gap
    return sheet


def _flowed(images: Sequence[Image.Image]) -> Image.Image:
    """Images side by side like words: in rows, as many in each as there is room for."""
    rows: list[Image.Image] = []
    for image in images:
        if rows and rows[-1].width + GAP + image.width <= INNER:
            row = rows[-1]
            rows[-1] = Image.new("RGB", (row.width + GAP + image.width, max(row.height, image.height)), PAPER)
            rows[-1].paste(row, (0, 0))
            rows[-1].paste(image, (row.width + GAP, 0))
        else:
            rows.append(image)
    return _stacked(rows, GAP)
