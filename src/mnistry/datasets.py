"""Loading a data set, and making sure by evidence that its images are stored as they seem to be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnistry import data
from mnistry.data.catalog import CATALOG
from mnistry.data.dataset import Dataset, Examples
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.data.in_memory import Given, from_values
from mnistry.doubts import READ_WELL, SAMPLE, settle, share_right
from mnistry.errors import DataError

if TYPE_CHECKING:
    from mnistry.reading.classifier import Classifier

FEWEST = 20
"""Images that are evidence."""
FAR_BETTER = 0.3
"""How much more must be read in it; what is read above 1 less this cannot be read far better."""


def load(
    name_or_path: str | Path | Given,
    data_dir: Path | str | None = None,
    *,
    download: bool = True,
    invert: bool = False,
    transpose: bool = False,
    full_scale: float | None = None,
    check_images: bool = True,
) -> Dataset:
    """Loads a data set of the catalogue by name, one of your own by path, or makes one of arrays.

    Args:
        name_or_path: a name such as `"mnist"`, or a file or folder of your own: pictures, IDX files, arrays
            in one of many formats; see `mnistry.data.readers.read`. A name wins over a folder of that name;
            write `./mnist` for it.
            Or values: `(X, y)`, `((X, y), (X_test, y_test))`, a Dataset; see `mnistry.data.in_memory`.
        data_dir: a folder to look in before MNISTRY_DATA, the cache and the mirrors.
        download: ask the mirrors for what no folder has.
        invert: the images are dark on light; black and white are exchanged.
        transpose: rows and columns are stored exchanged, as EMNIST's are; they are turned back.
        full_scale: the pixel value of the strongest ink, such as 16; without it 255, or 1 if no value is
            above 1.
        check_images: make sure that no other of these ways fits the images far better.

    Raises:
        UnknownNameError: neither a data set nor a path.
        DataNotFoundError: no place has the data set.
        DataError: the data are damaged, not what they should be, or digits that are stored in another way.
    """
    form = ImageForm(invert, transpose, full_scale)
    if isinstance(name_or_path, str | Path):
        dataset = data.load(name_or_path, data_dir, download=download, form=form)
        published, called = isinstance(name_or_path, str) and name_or_path in CATALOG, str(name_or_path)
    else:
        dataset = from_values(name_or_path, form)
        published, called = False, dataset.name
    dataset = settle(dataset, form)
    if check_images and not (published and form == AS_MNIST):
        check_form(dataset, form, called)
    return dataset


def check_form(dataset: Dataset, form: ImageForm, name: str) -> None:
    """Refuses digits that the shipped model reads far better if they are taken in another way.

    A sample of each part is read as it is, inverted, transposed, and, where no pixel is bright, scaled. Of
    images that it reads in none of these ways, such as those of clothes, nothing is known and nothing said.

    Args:
        dataset: as it was loaded.
        form: how its images were taken.
        name: what to call it in the error message.

    Raises:
        DataError: another way is far better; the message says which, with the shares that are read.
    """
    from mnistry.reading.classifier import Classifier

    parts = {"training": dataset.train, "validation": dataset.validation, "test": dataset.test}
    present = {called: part for called, part in parts.items() if part is not None}
    brightest = max(int(part.images.max(initial=0)) for part in present.values())
    classifier = Classifier.load()
    found = {called: _examine(classifier, part, form, brightest) for called, part in present.items()}
    findings = {called: finding for called, finding in found.items() if finding}
    wrong = [(called, one) for called, one in findings.items() if one.mixed or one.form != form]
    if not wrong:
        return
    called, finding = wrong[0]
    shares = (
        f"of {finding.count} {called} images the model that comes with mnistry reads {finding.as_it_is:.0%} "
        f"right as they are{' taken' * (form != AS_MNIST)}, {finding.share:.0%}"
    )
    way, now, then = _way(form, finding.form), form.arguments(), finding.form.arguments()
    if finding.mixed:
        shares += " if some are inverted"
        cure = "Make them alike; in class folders of pictures each is looked at by itself"
    elif len({one.form for one in findings.values()}) > 1:
        shares += f" {way}, and the other part is not so"
        cure = "Make the parts alike"
    else:
        shares += f" {way}"
        cure = f"Give {then}{f' in place of {now}' * bool(now)}" if then else f"Leave out {now}"
    raise DataError(f"{name}: {shares}. {cure}. If they are meant to be so, give `check_images=False`")


@dataclass(frozen=True)
class _Finding:
    """What the sample of one part shows.

    Attributes:
        count: images in it.
        as_it_is: the share that is read right, the mean over its classes.
        share: that in the best way.
        form: the best way, or the given one if no other is far better.
        mixed: whether it is best to invert some images, and others not.
    """

    count: int
    as_it_is: float
    share: float
    form: ImageForm
    mixed: bool = False


def _examine(classifier: "Classifier", part: Examples, form: ImageForm, brightest: int) -> _Finding | None:
    """None where the model reads too little in any way, or there are too few images, to tell."""
    rows = np.random.default_rng(0).permutation(len(part))[:SAMPLE]
    sample = part[np.sort(rows)]
    if len(sample) < FEWEST or len(np.unique(sample.labels)) < 2:
        return None

    def right(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = classifier.logits(images).argmax(axis=1) == sample.labels
        return found

    def share(right: NDArray[np.bool_]) -> float:
        return share_right(right, sample.labels)

    now = right(sample.images)
    if share(now) > 1 - FAR_BETTER:
        return _Finding(len(sample), share(now), share(now), form)
    stored = form.upright(sample.images)
    ways = {way: right(way.upright(_scaled(stored, way, form))) for way in _other_ways(form, brightest)}
    best = max(ways, key=lambda way: share(ways[way]))
    found = _Finding(len(sample), share(now), share(ways[best]), best)
    inverse = ways[replace(form, invert=not form.invert)]
    either = share(now | inverse)
    if either >= READ_WELL and either >= max(found.share, found.as_it_is) + FAR_BETTER:
        return replace(found, share=either, form=form, mixed=True)
    if found.share < READ_WELL:
        return None
    return found if found.share >= found.as_it_is + FAR_BETTER else replace(found, form=form)


def _other_ways(form: ImageForm, brightest: int) -> Iterator[ImageForm]:
    scales = [form.full_scale]
    if 0 < brightest < 128:
        scales.append((form.full_scale or 255) * brightest / 255)
    for full_scale, invert, transpose in product(scales, (False, True), (False, True)):
        way = ImageForm(invert, transpose, full_scale)
        if way != form:
            yield way


def _scaled(stored: NDArray[np.uint8], way: ImageForm, form: ImageForm) -> NDArray[np.uint8]:
    if way.full_scale == form.full_scale:
        return stored
    factor = (form.full_scale or 255) / (way.full_scale or 255)
    scaled: NDArray[np.uint8] = np.rint(stored * factor).clip(0, 255).astype(np.uint8)
    return scaled


def _way(now: ImageForm, then: ImageForm) -> str:
    """What is done in the other way, in words."""
    changes = ["inverted"] * (now.invert != then.invert) + ["transposed"] * (now.transpose != then.transpose)
    if now.full_scale != then.full_scale:
        changes.append(f"scaled from {then.full_scale:.6g}")
    return ", ".join(changes)
