"""One call from a name or a path to a data set."""

from pathlib import Path

import numpy as np

from mnistry.data import idx
from mnistry.data.catalog import CATALOG, OPTDIGITS, Entry
from mnistry.data.dataset import Dataset, Examples
from mnistry.data.fetch import fetch
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.data.verify import Found
from mnistry.errors import DataError, InvalidValueError, UnknownNameError
from mnistry.files import address_in


def load(
    name_or_path: str | Path,
    data_dir: Path | str | None = None,
    *,
    download: bool = True,
    form: ImageForm = AS_MNIST,
) -> Dataset:
    """Loads a data set of the catalogue by name, or one of your own by path.

    Args:
        name_or_path: a name such as `"mnist"`, or a file or folder of your own: pictures, IDX files, arrays
            in one of many formats; see `mnistry.data.readers.read`. A name wins over a folder of that name;
            write `./mnist` for it.
        data_dir: a folder to look in before MNISTRY_DATA, the cache and the mirrors.
        download: ask the mirrors for what no folder has.
        form: how its images are stored; `mnistry.load` checks it.

    Raises:
        UnknownNameError: neither a data set nor a path.
        InvalidValueError: a full scale for what has its own; or the name of a set of handwriting.
        DataNotFoundError: no place has the data set.
        DataError: the data are damaged or not what they should be.
    """
    if _is_name(name_or_path):
        entry = CATALOG[str(name_or_path)]
        if form.full_scale is not None:
            raise InvalidValueError(f"{entry.name}: `full_scale` is for data of your own")
        if entry == OPTDIGITS:
            from mnistry.data.optdigits import load_optdigits

            return form.applied(load_optdigits())
        if entry.made_of:
            from mnistry.data.handwriting.examples import load_handwriting

            return form.applied(load_handwriting(entry, data_dir, may_download=download))
        return form.applied(from_files(entry, fetch(entry, data_dir, may_download=download)))
    path = Path(name_or_path).expanduser()
    if path.exists():
        from mnistry.data.readers import read

        try:
            return form.applied(read(path, full_scale=form.full_scale))
        except OSError as error:
            raise DataError(
                f"{error.filename or path}: cannot be read: {error.strerror or error}."
            ) from error
    if address := address_in(path):
        raise DataError(
            f"{address}: this is a URL; only named data sets are downloaded. Download it first, such as by "
            f"`curl -LO {address}`, and name the file or, of a packed one, the folder that was in it."
        )
    from mnistry.data.handwriting import SETS

    if str(name_or_path) in SETS:
        raise InvalidValueError(
            f"{name_or_path}: this is handwriting for the pages that a detector learns from, not a data set "
            f"of 28×28 images. It can be fetched and looked at: mnistry data info {name_or_path}"
        )
    raise UnknownNameError("data set or path", str(name_or_path), CATALOG)


def place(name_or_path: str | Path) -> str:
    """What `load` takes for the same data set from any working directory: the name, or the absolute path.

    What is neither stays as it is, for `load` to refuse by the name that was given.
    """
    path = Path(name_or_path).expanduser()
    is_path = path.exists() and not _is_name(name_or_path)
    return str(path.resolve() if is_path else name_or_path)


def _is_name(name_or_path: str | Path) -> bool:
    """Whether `load` takes it for a name; a `Path` never is one."""
    return isinstance(name_or_path, str) and name_or_path in CATALOG


def from_files(entry: Entry, files: list[Found]) -> Dataset:
    """The data set that the files of a catalogue entry hold.

    Raises:
        DataError: they are intact, but do not hold what the entry says.
    """
    train = _part(entry, files[0], files[1], entry.counts[0])
    test = _part(entry, files[2], files[3], entry.counts[1])
    folders = sorted({str(found.path.parent) for found in files})
    doubtful = [file.name for file, found in zip(entry.files, files, strict=True) if not found.verified]
    verdict = f"not verified by any checksum: {', '.join(doubtful)}" if doubtful else "verified by checksum"
    return Dataset(
        name=entry.name,
        train=train,
        test=test,
        class_names=entry.class_names,
        source=f"{', '.join(folders)} ({verdict})",
        sha256={file.name: found.sha256 for file, found in zip(entry.files, files, strict=True)},
    )


def _part(entry: Entry, images: Found, labels: Found, count: int) -> Examples:
    pixels = idx.decode(images.content, name=str(images.path))
    classes = idx.decode(labels.content, name=str(labels.path))
    if classes.dtype == np.int32 and classes.ndim == 2:  # QMNIST's table: its first column is the class
        classes = classes[:, 0].astype(np.uint8)
    if entry.first_label and classes.dtype == np.uint8:
        classes = classes - np.uint8(entry.first_label)
    if entry.transposed and pixels.ndim == 3:
        pixels = np.ascontiguousarray(pixels.transpose(0, 2, 1))
    part = idx.examples(
        pixels,
        classes,
        images_name=str(images.path),
        labels_name=str(labels.path),
        classes=len(entry.class_names),
    )
    if len(part) != count:
        raise DataError(f"{images.path}: expected {count:,} images for {entry.name}, found {len(part):,}.")
    return part
