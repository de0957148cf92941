"""The diagrams of an evaluation as pictures, for papers and slides."""

import errno
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnistry.atomic import replacing, write_bytes
from mnistry.errors import InvalidValueError
from mnistry.evaluation.diagrams import ConfusionMatrix, PerClass, Reliability
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import Mistake
from mnistry.evaluation.rendering import rendered, style_sheet

if TYPE_CHECKING:
    from PIL.Image import Image

_ZOOM = 3  # of the PNG: sharp in print too


def write_pictures(
    folder: Path | str, evaluation: Evaluation, class_names: Sequence[str], mistakes: Sequence[Mistake]
) -> list[Path]:
    """Writes `confusion`, `reliability` and `per-class`, each as SVG and PNG, and `mistakes.png` if any.

    Needs jinja2 and resvg, which come with the extra `train`. Each file is written atomically.

    Args:
        folder: made if it is not there.
        evaluation: of at least one image.
        class_names: one for each class.
        mistakes: all are drawn, the first at the top left.

    Returns:
        The files that were written.

    Raises:
        InvalidValueError: not one name for each class, or an empty evaluation.
        OSError: a file cannot be written, or there is no font for the text of the PNG pictures.
    """
    if len(class_names) != evaluation.classes:
        raise InvalidValueError(f"class_names: expected {evaluation.classes}, found {len(class_names)}.")
    reliability = Reliability(evaluation)
    drawings = {
        "confusion": _drawn("Confusion matrix", "confusion", ConfusionMatrix(evaluation, class_names)),
        "reliability": _drawn(
            f"Reliability (calibration error {reliability.error:.2%})", "reliability", reliability
        ),
        "per-class": _drawn("Classes", "per_class", PerClass(evaluation, class_names)),
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, svg in drawings.items():
        for suffix, content in (("svg", svg), ("png", _png(svg))):
            paths.append(folder / f"{name}.{suffix}")
            write_bytes(paths[-1], content)
    if mistakes:
        paths.append(folder / "mistakes.png")
        with replacing(paths[-1]) as file:
            mistakes_sheet(class_names, mistakes).save(file, format="PNG")
    return paths


def _drawn(title: str, kind: str, diagram: ConfusionMatrix | Reliability | PerClass) -> bytes:
    css = style_sheet("diagrams.css")
    # Few programs but browsers know variables of style sheets.
    palette = dict(re.findall(r"(--[\w-]+): (#\w+);", css))
    css = re.sub(r"var\((--[\w-]+)\)", lambda variable: palette[variable[1]], css)
    return rendered("picture.svg", title=title, kind=kind, diagram=diagram, css=css)


def _png(svg: bytes) -> bytes:
    from resvg_py import svg_to_bytes

    text = svg.decode()
    content = svg_to_bytes(text, zoom=_ZOOM)
    # Where no font is found, every text is left out without a word.
    if content == svg_to_bytes(re.sub("<text.*?</text>", "", text, flags=re.DOTALL), zoom=_ZOOM):
        raise OSError(
            errno.ENOENT,
            "a PNG picture needs a font for its text, and none was found; install one, such as DejaVu Sans "
            "(Debian: fonts-dejavu-core)",
        )
    return bytes(content)


def mistakes_sheet(class_names: Sequence[str], mistakes: Sequence[Mistake]) -> "Image":
    """One picture of all mistakes, the first at the top left, each above what it was read as.

    Raises:
        InvalidValueError: there are none.
    """
    from mnistry.data.sheet import draw_sheet

    if not mistakes:
        raise InvalidValueError("a sheet of mistakes needs at least one.")
    captions = [f"{class_names[one.label]} as {class_names[one.predicted]}" for one in mistakes]
    return draw_sheet(np.stack([one.image for one in mistakes]), captions, columns=10)
