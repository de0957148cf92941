"""From ink to a photo or a scan: paper, light, surroundings, lens, sensor, compression."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.training.pages.canvas import HEIGHT, WIDTH, Canvas

Grey = NDArray[np.float32]
Random = np.random.Generator


def clouds(random: Random, rows: int, columns: int) -> Grey:
    """Soft noise over the page, deviation about 1: so many independent places, the rest between them."""
    coarse = random.normal(0, 1, (rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def turned(canvas: Canvas, random: Random) -> Canvas:
    """The page as a hand holds it: a little turned and drawn out."""
    if random.random() < 0.35:
        return canvas
    matrix = held(random)
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    placed = np.column_stack([matrix, middle - matrix @ middle])

    def moved(plane: Grey) -> Grey:
        edge = cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(plane, placed, (WIDTH, HEIGHT), borderMode=edge), np.float32)

    digits = []
    for x, y, width, height, digit in canvas.digits:
        new_x, new_y = placed @ (x, y, 1)
        digits.append((float(new_x), float(new_y), width, height, digit))
    small = cv2.warpAffine(canvas.small, placed, (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST)
    return Canvas(
        pen=moved(canvas.pen),
        print=moved(canvas.print),
        rules=moved(canvas.rules),
        small=np.asarray(small, np.uint8),
        digits=digits,
    )


def held(random: Random) -> NDArray[np.float64]:
    """How a hand turns and draws out a page, float64 `[2, 2]`."""
    turn = np.deg2rad(random.normal(0, 2.5))
    cos, sin = np.cos(turn), np.sin(turn)
    drawn_out = np.array([[1, random.normal(0, 0.05)], [0, 1]])
    return np.asarray(np.array([[cos, -sin], [sin, cos]]) @ drawn_out, np.float64)


def photographed(canvas: Canvas, random: Random) -> Grey:
    """The page as grey levels, float32 `[height, width]`, 0 black to 1 white.

    A digit that the surroundings hide is taken off the page's list.
    """
    paper = np.full((HEIGHT, WIDTH), random.uniform(0.5, 1), np.float32)
    paper *= np.clip(1 + clouds(random, 3, 4) * random.uniform(0, 0.13), 0.3, 1.6)
    if random.random() < 0.3:  # fibres and stains
        paper *= 1 + random.uniform(0, 0.1) * clouds(random, HEIGHT // 3, WIDTH // 3)
    if random.random() < 0.25:
        paper *= _shadow(random)
    if random.random() < 0.25:  # a pencil, or a pen that runs dry
        worn = random.uniform(0.1, 0.4) * np.abs(clouds(random, HEIGHT // 2, WIDTH // 2))
        canvas.pen *= np.clip(1 - worn, 0.2, 1)
    faint = random.random() < 0.15
    contrast = random.uniform(0.2, 0.4) if faint else random.uniform(0.4, 0.95)
    grey = paper * (1 - contrast * canvas.pen)
    # A real printed page brings its own paper.
    real = canvas.print.min() > 0.02
    grey = grey * (1 - (1.0 if real else random.uniform(0.3, 0.95)) * canvas.print)
    grey = grey * (1 - random.uniform(0.1, 0.85) * canvas.rules)
    if random.random() < 0.18:
        grey = _beside_a_table(grey, canvas, random)
    finest = min((digit[3] for digit in canvas.digits), default=20.0)
    return taken(grey.astype(np.float32), random, finest)


def taken(grey: Grey, random: Random, finest: float) -> Grey:
    """What lens, sensor and file make of grey levels; the finest digit stays readable."""
    if random.random() < 0.6:
        blurred = cv2.GaussianBlur(grey, (0, 0), random.uniform(0.1, max(0.2, 0.085 * finest)))
        grey = np.asarray(blurred, np.float32)
    noise = random.choice([0, 0.01, 0.03, 0.06], p=[0.4, 0.3, 0.2, 0.1])
    grey = np.asarray(grey + noise * random.standard_normal(grey.shape, np.float32), np.float32)
    if random.random() < 0.2:
        grey = 1 - grey
    grey = np.clip(grey, 0, 1)
    kind = random.random()
    if kind < 0.1:
        return _thresholded(grey, random)
    if kind < 0.35:
        return _compressed(grey, random)
    if kind < 0.6:  # a small picture, which the reader enlarges
        share = min(1.0, random.uniform(8, 18) / finest)
        height, width = grey.shape
        size = (max(1, round(width * share)), max(1, round(height * share)))
        small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
        if random.random() < 0.6:
            small = _compressed(small, random)
        enlarged = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(enlarged, 0, 1), np.float32)
    return grey


def _compressed(grey: Grey, random: Random) -> Grey:
    """What JPEG leaves of grey levels."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 80))]
    _, coded = cv2.imencode(".jpg", np.rint(grey * 255).astype(np.uint8), quality)
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32) / np.float32(255)


def _shadow(random: Random) -> Grey:
    """What a hand or a phone takes away of the light: float32 `[height, width]`."""
    corners = random.uniform((-0.3 * WIDTH, -0.3 * HEIGHT), (1.3 * WIDTH, 1.3 * HEIGHT), (3, 2))
    shade = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(shade, [corners.astype(np.int32)], 1.0)
    soft = np.asarray(cv2.GaussianBlur(shade, (0, 0), random.uniform(0.6, 14)), np.float32)
    return np.asarray(1 - soft * random.uniform(0.2, 0.6), np.float32)


def _beside_a_table(grey: Grey, canvas: Canvas, random: Random) -> Grey:
    """The page's edge, and the surface that it lies on, dark or light, plain or with a grain."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    turn = random.uniform(0, 2 * np.pi)
    across = (x - WIDTH / 2) * np.cos(turn) + (y - HEIGHT / 2) * np.sin(turn)
    reach = abs(np.cos(turn)) * WIDTH / 2 + abs(np.sin(turn)) * HEIGHT / 2
    outside = across > reach * random.uniform(-0.1, 0.8)
    surface = random.uniform(0, 0.7) + 0.05 * random.standard_normal(grey.shape, np.float32)
    if random.random() < 0.6:
        waves = (x if random.random() < 0.5 else y) / random.uniform(1.5, 8) + 4 * clouds(random, 4, 4)
        surface += random.uniform(0.03, 0.15) * np.sin(waves)
    canvas.small[outside] = 0
    canvas.digits[:] = [
        digit
        for digit in canvas.digits
        if not outside[min(HEIGHT - 1, max(0, int(digit[1]))), min(WIDTH - 1, max(0, int(digit[0])))]
    ]
    return np.where(outside, np.clip(surface, 0, 1), grey)


def _thresholded(grey: Grey, random: Random) -> Grey:
    """Black and white, as old scanners and faxes give it."""
    usual = float(np.median(grey))
    if usual > 0.5:
        limit = usual * random.uniform(0.65, 0.9)
    else:
        limit = usual + (1 - usual) * random.uniform(0.1, 0.35)
    return (grey > limit).astype(np.float32)
