"""LMDB as Caffe lays it out: a database of `Datum` messages, a picture or its pixels with a label each."""

import errno
from pathlib import Path
from typing import Any

import numpy as np

from mnistry.data.dataset import Examples
from mnistry.data.formats import Arrays, check_bytes, needed, pictures_or_pixels
from mnistry.data.formats.messages import message

_LEAST_BYTES, _PAGE_BYTES = 2**20, 2**12  # how large the file may become; it becomes as large as it must


def read_lmdb(path: Path) -> Arrays:
    """Reads the images in the order of their keys; the channels of coloured ones are blue, green, red."""
    images: list[Any] = []
    labels = []
    size = 0
    datum = message("Datum")
    lmdb = needed("lmdb")
    subdir = path.is_dir()
    with (
        lmdb.open(str(path), readonly=True, lock=False, subdir=subdir) as database,
        database.begin() as reading,
    ):
        for _, value in reading.cursor():
            one = datum.FromString(value)
            size += len(value)
            check_bytes(size)
            shape = (one.channels, one.height, one.width)
            if one.encoded:
                images.append(one.data)
            elif one.float_data:
                images.append(np.array(one.float_data, np.float32).reshape(shape))
            elif one.data:
                images.append(np.frombuffer(one.data, np.uint8).reshape(shape))
            else:
                raise ValueError("its values are no Datum messages of Caffe")
            labels.append(one.label)
    if images and isinstance(images[0], bytes):
        return Arrays({"images": pictures_or_pixels(images), "labels": np.array(labels)})
    stacked = np.stack(images)
    if stacked.shape[1] == 3:
        stacked = stacked[:, ::-1]
    return Arrays({"images": stacked, "labels": np.array(labels)})


def write_lmdb(part: Examples, folder: Path) -> None:
    """Writes a database whose keys are the rows, in eight digits.

    Raises:
        OSError: it cannot be written.
    """
    lmdb, datum = needed("lmdb"), message("Datum")
    rows, side = len(part), part.images.shape[1]
    try:
        database = lmdb.open(str(folder), map_size=_LEAST_BYTES + rows * _PAGE_BYTES)
        with database, database.begin(write=True) as writing:
            for row, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
                one = datum(channels=1, height=side, width=side, data=image.tobytes(), label=int(label))
                writing.put(f"{row:08}".encode(), one.SerializeToString())
        (folder / "lock.mdb").unlink()
    except lmdb.Error as error:
        raise OSError(errno.EIO, str(error), str(folder)) from error
