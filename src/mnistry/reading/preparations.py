"""How a picture of one digit becomes 28×28: as the tutorials' programs do it, and as it is done here.

Both are shown stage by stage, and the same model answers both: why a model that is right on 99 % of MNIST
fails on pictures of one's own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistry.data.dataset import CLASSES, SIDE
from mnistry.data.decode import Picture, open_picture
from mnistry.data.sheet import draw_sheet
from mnistry.reading.detector import Grey
from mnistry.reading.flatten import flattened
from mnistry.reading.recognizer import Recognizer

THRESHOLD = 50
"""Inverted grey levels below this become paper, the others full ink: what the perceptron's program does."""
PANEL = 140  # pixels of a stage's side in the drawing, where an image's pixel has five


@dataclass(frozen=True, eq=False)
class Stage:
    """What a picture has become.

    Attributes:
        name: what was done, for people.
        image: uint8 `[height, width]`, as it looks: the last stage of a preparation is 28×28, ink bright.
    """

    name: str
    image: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Preparation:
    """One way from a picture to what the model is given, and what the model says of it.

    Attributes:
        name: of the way, for people.
        stages: in order.
        digit: what the model takes it for; None where nothing was found that could be one.
        confidence: its probability.
        digits: how many digits were found; the stages and the answer are the first one's.
    """

    name: str
    stages: tuple[Stage, ...]
    digit: int | None
    confidence: float
    digits: int = 1

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON values."""
        return {"name": self.name, "digit": self.digit, "confidence": self.confidence, "digits": self.digits}


def tutorial_stages(grey: Grey) -> tuple[Stage, ...]:
    """The way of the tutorials' programs: squeezed to 28×28, inverted, cut at a threshold.

    The aspect is lost, margins stay, a light digit on dark is never turned, and a shadow becomes ink.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.
    """
    levels = _bytes(grey)
    small = np.asarray(Image.fromarray(levels).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    inverted = 255 - small
    cut = np.where(inverted < THRESHOLD, 0, 255).astype(np.uint8)
    return (
        Stage("grey", levels),
        Stage("squeezed to 28×28", small),
        Stage("inverted", inverted),
        Stage(f"cut at {THRESHOLD}", cut),
    )


def preparations(recognizer: Recognizer, picture: Picture) -> tuple[Preparation, Preparation]:
    """A picture prepared in both ways, with the answers of the recognizer's model.

    Raises:
        PictureError: it cannot be read.
    """
    stages = tutorial_stages(open_picture(picture).grey)
    examined = recognizer.examine(picture)
    found = [one for row in examined.rows for one in row.digits]
    own = [
        Stage("grey", _bytes(examined.grey)),
        Stage("light and shade taken away", flattened(examined.page.grey)),
    ]
    digit, confidence = None, 0.0
    if found:
        own += [Stage("cut out", _bytes(1 - found[0].cut.ink)), Stage("boxed, centred", found[0].image)]
        digit, confidence = _answer(recognizer, found[0].image)
    return (
        Preparation("as the tutorials do", stages, *_answer(recognizer, stages[-1].image)),
        Preparation("as MNIST was made", tuple(own), digit, confidence, len(found)),
    )


def _answer(recognizer: Recognizer, image: NDArray[np.uint8]) -> tuple[int, float]:
    chances = recognizer.classifier.probabilities(image[None])[0, :CLASSES]
    return int(chances.argmax()), float(chances.max())


def draw_preparations(both: tuple[Preparation, Preparation]) -> Image.Image:
    """Both ways, a row each, with what the model says under the last stage."""
    columns = max(len(way.stages) for way in both)
    panels, captions = [], []
    for way in both:
        said = "no digit" if way.digit is None else f"read as {way.digit} ({way.confidence:.2f})"
        captions += [stage.name for stage in way.stages[:-1]] + [f"{way.stages[-1].name}: {said}"]
        panels += [_panel(stage.image) for stage in way.stages]
        for _ in range(columns - len(way.stages)):
            panels.append(np.full((PANEL, PANEL), 255, np.uint8))
            captions.append("")
    return draw_sheet(np.stack(panels), captions, columns)


def _panel(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image fitted into a square."""
    scale = PANEL / max(image.shape)
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    way = Image.Resampling.NEAREST if scale >= 3 else Image.Resampling.LANCZOS
    panel = Image.new("L", (PANEL, PANEL), 255)
    fitted = Image.fromarray(image).resize(size, way)
    panel.paste(fitted, ((PANEL - size[0]) // 2, (PANEL - size[1]) // 2))
    return np.asarray(panel, np.uint8)


def _bytes(levels: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(levels, 0, 1) * 255), np.uint8)
