"""Parquet, as Hugging Face publishes data sets: pictures or rows of pixels, and a column of labels."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistry import atomic
from mnistry.data.dataset import CLASSES, Examples
from mnistry.data.formats import Arrays, check_bytes, needed, pictures_or_pixels
from mnistry.data.label_column import columns_of
from mnistry.data.roles import role_of
from mnistry.files import open_regular

_MOST_COLUMNS = 2**12


def read_parquet(path: Path) -> Arrays:
    """Reads the columns that are called as images and labels are; of a table of pixels, all.

    The names of ten classes or more stand in the metadata that Hugging Face writes.
    """
    parquet = needed("pyarrow.parquet")
    with open_regular(path) as opened, parquet.ParquetFile(opened) as file:
        groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        check_bytes(sum(group.total_byte_size for group in groups))
        names = file.schema_arrow.names
        if len(names) > _MOST_COLUMNS:
            raise ValueError(f"it has {len(names):,} columns")
        if len(names) > 2 * CLASSES:
            table = np.column_stack([file.read([name])[name].to_numpy() for name in names])
            columns = columns_of(names, table)
            values: dict[str, Any] = {"images": columns.pixels, "labels": columns.labels}
            return Arrays({role: array for role, array in values.items() if array is not None})
        table = file.read([name for name in names if role_of(name)])
        values = {name: _column(table.column(name).combine_chunks()) for name in table.column_names}
        return Arrays(values, _class_names(table.schema.metadata or {}))


def write_parquet(part: Examples, class_names: tuple[str, ...], path: Path) -> None:
    """Writes columns of PNG pictures and of labels, with the metadata by which Hugging Face knows them."""
    arrow = needed("pyarrow")
    features = {
        "image": {"_type": "Image"},
        "label": {"names": list(class_names), "_type": "ClassLabel"},
    }
    columns = {
        "image": [{"bytes": _png(image), "path": None} for image in part.images],
        "label": part.labels.astype(np.int64),
    }
    kinds = [
        ("image", arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])),
        ("label", arrow.int64()),
    ]
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    table = arrow.table(columns, arrow.schema(kinds, metadata))
    with atomic.replacing(path) as file:
        needed("pyarrow.parquet").write_table(table, file)


def _png(image: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def _column(column: Any) -> NDArray[Any] | list[bytes]:
    types = needed("pyarrow").types
    if column.null_count:
        raise ValueError(f"{column.null_count:,} of {len(column):,} rows have no value in a column")
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_struct(column.type):
        column = column.field("bytes")
        if column.null_count:
            raise ValueError("it names pictures in place of holding them; export it with the pictures in it")
    if types.is_binary(column.type) or types.is_large_binary(column.type):
        return pictures_or_pixels(column.to_pylist())
    shape = [len(column)]
    while (
        types.is_list(column.type)
        or types.is_large_list(column.type)
        or types.is_fixed_size_list(column.type)
    ):
        flat = column.flatten()
        if len(flat) % max(1, len(column)):
            raise ValueError("its rows of pixels differ in length")
        shape.append(len(flat) // max(1, len(column)))
        column = flat
    array: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    if array.dtype.kind == "O":
        array = np.array(column.to_pylist(), str)
    return array.reshape(shape)


def _class_names(metadata: dict[bytes, bytes]) -> tuple[str, ...] | None:
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        names = next(feature["names"] for name, feature in features.items() if role_of(name) == "labels")
        return tuple(names) if len(names) >= CLASSES else None
    except (KeyError, TypeError, ValueError, StopIteration):
        return None
