"""Labels that are probably wrong, by confident learning: what a model that has not seen an image says of it.

Source: C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in dataset labels",
Journal of Artificial Intelligence Research 70, 2021; by its authors' package, cleanlab.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from mnistry import atomic
from mnistry.data import Dataset, Examples
from mnistry.data.sheet import draw_sheet
from mnistry.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from PIL import Image

    from mnistry.recipes import Recipe

FOLDS = 5
"""Parts into which the images are divided at random; each is judged by a model that learnt from the rest."""
COLUMNS = 10


@dataclass(frozen=True, eq=False)
class Suspect:
    """An image whose label is probably wrong.

    Attributes:
        part: where it is: `"train"`, `"validation"` or `"test"`.
        row: its row in that part.
        image: uint8[28, 28].
        label: what it is called.
        suggested: what it probably is.
        quality: how well its label fits, from 0 to 1; below 0.5 the models take it for another class.
        confident: whether confident learning counts it among the wrong ones, or it is merely the next.
    """

    part: str
    row: int
    image: NDArray[np.uint8]
    label: int
    suggested: int
    quality: float
    confident: bool


def find_suspects(
    dataset: Dataset,
    part: Literal["test", "validation", "train", "all"] = "all",
    *,
    recipe: "str | Recipe" = "dash",
    folds: int = FOLDS,
    seed: int = 0,
    most: int = 100,
) -> list[Suspect]:
    """Ranks the labels of a data set by how little they fit.

    Each image is judged by a model that was trained on others: all images of all parts are divided into
    folds, and one model is trained for each.

    Args:
        dataset: the data set, of at least two classes.
        part: whose labels are looked at; the models learn from all parts.
        recipe: how the models are trained.
        folds: how many models; at least two.
        seed: decides the folds and the models.
        most: so many are returned, the least fitting first.

    Raises:
        ModuleNotFoundError: cleanlab is not installed.
        InvalidValueError: fewer than two folds.
        DataError: a class has fewer images than there are folds, or the part is empty.
    """
    import cleanlab.filter  # before the training, which takes its time

    if folds < 2:
        raise InvalidValueError(f"`folds` must be at least 2, not {folds}")
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    held = {name: one for name, one in parts.items() if one is not None and len(one)}
    examples = Examples(
        np.concatenate([one.images for one in held.values()]),
        np.concatenate([one.labels for one in held.values()]),
    )
    names = np.repeat(list(held), [len(one) for one in held.values()])
    rows = np.concatenate([np.arange(len(one)) for one in held.values()])
    chosen = np.ones(len(examples), bool) if part == "all" else names == part
    if not chosen.any():
        raise DataError(f"{dataset.name}: there are no images in the {part} part.")
    classes, counts = np.unique(examples.labels, return_counts=True)
    if len(classes) < 2 or counts.min() < folds:
        fewest = dataset.class_names[classes[counts.argmin()]]
        raise DataError(
            f"{dataset.name}: expected two classes, and of each at least as many images as there are folds, "
            f"{folds}; found {len(classes)}, and {counts.min()} of {fewest!r}."
        )
    chances = out_of_sample(examples, recipe, folds, seed)[chosen]
    labels = np.searchsorted(classes, examples.labels[chosen])
    quality = cleanlab.rank.get_label_quality_scores(labels, chances, method="normalized_margin")
    found = cleanlab.filter.find_label_issues(labels, chances, n_jobs=1)
    others = chances.copy()
    others[np.arange(len(labels)), labels] = -1
    suggested = others.argmax(axis=1)
    places = np.flatnonzero(chosen)
    return [
        Suspect(
            part=str(names[places[row]]),
            row=int(rows[places[row]]),
            image=examples.images[places[row]],
            label=int(classes[labels[row]]),
            suggested=int(classes[suggested[row]]),
            quality=float(quality[row]),
            confident=bool(found[row]),
        )
        for row in np.argsort(quality, kind="stable")[:most]
    ]


def out_of_sample(examples: Examples, recipe: "str | Recipe", folds: int, seed: int) -> NDArray[np.float64]:
    """What models say that have not seen the image: float64 `[n, classes that there are]`."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    from mnistry.estimator import DigitClassifier

    chances: NDArray[np.float64] = cross_val_predict(
        DigitClassifier(recipe, random_state=seed),
        examples.images.reshape(len(examples), -1),
        examples.labels,
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        method="predict_proba",
    )
    return chances


def suspects_sheet(suspects: Sequence[Suspect], class_names: Sequence[str]) -> "Image.Image":
    """The suspects in their order, each above its label and what it probably is, as `5 or 3?`."""
    images = np.stack([one.image for one in suspects])
    captions = [f"{class_names[one.label]} or {class_names[one.suggested]}?" for one in suspects]
    return draw_sheet(images, captions, COLUMNS)


def write_table(path: Path, suspects: Sequence[Suspect], class_names: Sequence[str]) -> None:
    """Writes the suspects as a CSV file: part, row, label, suggested, quality, confident.

    Raises:
        OSError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["part", "row", "label", "suggested", "quality", "confident"])
    for one in suspects:
        names = class_names[one.label], class_names[one.suggested]
        writer.writerow([one.part, one.row, *names, f"{one.quality:.4f}", "yes" if one.confident else "no"])
    atomic.write_text(path, text.getvalue())
