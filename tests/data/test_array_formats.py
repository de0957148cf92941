"""Files written as the programs write them that people have them from give the digits that are in them."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import google_crc32c
import h5py
import lmdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import scipy.io
from PIL import Image
from sklearn.datasets import dump_svmlight_file

import mnistry
from mnistry.data import Dataset, Examples
from mnistry.data.formats.messages import message
from mnistry.errors import DataError


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """Few of the bundled digits, so that both parts have every class."""
    whole = mnistry.load("optdigits")
    return Dataset("digits", whole.train[:70], whole.test[:35], whole.class_names, "", {})


@pytest.fixture(autouse=True)
def in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting a process for each file would take most of the time; `test_apart.py` is about that."""
    from mnistry.data.contents import read_contents

    monkeypatch.setattr("mnistry.data.readers.read_apart", read_contents)


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def flat(part: Examples) -> np.ndarray:
    return part.images.reshape(len(part), -1)


def by_columns(part: Examples) -> np.ndarray:
    """Pixels in a row, as MATLAB's `image(:)'` gives them."""
    return part.images.transpose(0, 2, 1).reshape(len(part), -1)


# ---------------------------------------------------------------- how each kind is written


def hugging_face(data: Dataset, folder: Path) -> Path:
    """As `datasets.load_dataset("ylecun/mnist")` keeps it."""
    (folder / "mnist").mkdir()
    features = {"image": {"_type": "Image"}, "label": {"names": list("0123456789"), "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    for name, part in (("train", data.train), ("test", data.test)):
        rows = {
            "image": [{"bytes": png(image), "path": None} for image in part.images],
            "label": part.labels.astype(np.int64),
        }
        table = pa.table(rows).replace_schema_metadata(metadata)
        pyarrow.parquet.write_table(table, folder / "mnist" / f"{name}-00000-of-00001.parquet")
    (folder / "README.md").write_text("# MNIST")
    return folder


def shards(data: Dataset, folder: Path) -> Path:
    """Lists of pixels, in several files."""
    for number, rows in enumerate((slice(0, 30), slice(30, 70))):
        part = data.train[rows]
        table = pa.table({"image": part.images.tolist(), "label": part.labels})
        pyarrow.parquet.write_table(table, folder / f"train-{number:05}-of-00002.parquet")
    table = pa.table({"image": data.test.images.tolist(), "label": data.test.labels})
    pyarrow.parquet.write_table(table, folder / "test-00000-of-00001.parquet")
    return folder


def npy_files(data: Dataset, folder: Path) -> Path:
    arrays = {"X_train": data.train.images, "y_train": data.train.labels}
    arrays |= {"X_test": data.test.images, "y_test": data.test.labels}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def npz_called(*names: str) -> Callable[[Dataset, Path], Path]:
    def write(data: Dataset, folder: Path) -> Path:
        arrays = (data.train.images, data.train.labels, data.test.images, data.test.labels)
        np.savez(folder / "d.npz", **dict(zip(names, arrays, strict=True)))
        return folder / "d.npz"

    return write


def medmnist(data: Dataset, folder: Path) -> Path:
    np.savez(
        folder / "d.npz",
        train_images=data.train.images,
        train_labels=data.train.labels[:, None],
        val_images=data.test.images[:7],
        val_labels=data.test.labels[:7, None],
        test_images=data.test.images,
        test_labels=data.test.labels[:, None],
    )
    return folder / "d.npz"


def hdf5_groups(data: Dataset, folder: Path) -> Path:
    """As the USPS file that is passed around: shares of ink in rows."""
    with h5py.File(folder / "usps.h5", "w") as file:
        for name, part in (("train", data.train), ("test", data.test)):
            file[f"{name}/data"] = (flat(part) / 255).astype(np.float32)
            file[f"{name}/target"] = part.labels.astype(np.int64)
    return folder / "usps.h5"


def hdf5_flat(data: Dataset, folder: Path) -> Path:
    with h5py.File(folder / "d", "w") as file:
        file["x_train"], file["y_train"] = data.train.images, data.train.labels
        file["x_test"], file["y_test"] = data.test.images, np.eye(10)[data.test.labels]
    return folder / "d"


def emnist_matlab(data: Dataset, folder: Path) -> Path:
    """As EMNIST's authors write it: structures, and pixels column by column."""
    parts = {
        name: {
            "images": by_columns(part),
            "labels": part.labels[:, None].astype(float),
            "writers": part.labels,
        }
        for name, part in (("train", data.train), ("test", data.test))
    }
    mapping = np.array([[label, 48 + label] for label in range(10)])
    scipy.io.savemat(folder / "emnist.mat", {"dataset": {**parts, "mapping": mapping}}, do_compression=True)
    return folder / "emnist.mat"


def mldata_matlab(data: Dataset, folder: Path) -> Path:
    """As `mnist-original.mat`, which Python wrote: an image is a column, row by row."""
    x = np.concatenate([flat(data.train), flat(data.test)])
    y = np.concatenate([data.train.labels, data.test.labels])
    scipy.io.savemat(folder / "o.mat", {"data": x.T, "label": y[None].astype(float)})
    return folder / "o.mat"


def matlab_73(data: Dataset, folder: Path) -> Path:
    """As MATLAB's `save -v7.3` does: HDF5 whose axes are reversed."""
    with h5py.File(folder / "v73.mat", "w", userblock_size=512) as file:
        for name, part in (("Train", data.train), ("Test", data.test)):
            file[f"X{name}"] = by_columns(part).T
            file[f"y{name}"] = part.labels[None].astype(float)
    with (folder / "v73.mat").open("r+b") as opened:
        opened.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116))
    return folder / "v73.mat"


def of_each_digit(data: Dataset) -> dict[str, np.ndarray]:
    """As Roweis's `mnist_all.mat` holds them: `train0` to `train9` and `test0` to `test9`, row by row."""
    parts = (("train", data.train), ("test", data.test))
    return {f"{name}{digit}": flat(part)[part.labels == digit] for name, part in parts for digit in range(10)}


def mnist_all(data: Dataset, folder: Path) -> Path:
    scipy.io.savemat(folder / "mnist_all.mat", of_each_digit(data))
    return folder / "mnist_all.mat"


def npz_of_each_digit(data: Dataset, folder: Path) -> Path:
    np.savez(folder / "digits.npz", **of_each_digit(data))
    return folder / "digits.npz"


def hdf5_of_each_digit(data: Dataset, folder: Path) -> Path:
    with h5py.File(folder / "digits.h5", "w") as file:
        for name, images in of_each_digit(data).items():
            file[f"mnist/{name}"] = images.reshape(-1, 28, 28)
    return folder / "digits.h5"


def theano_pickle(protocol: int) -> Callable[[Dataset, Path], Path]:
    """As the deep-learning tutorials' `mnist.pkl.gz`: three pairs, shares of ink."""

    def write(data: Dataset, folder: Path) -> Path:
        pairs = [
            ((flat(part) / 255).astype(np.float32), part.labels.astype(np.int64))
            for part in (data.train, data.test[:10], data.test)
        ]
        content = pickle.dumps(tuple(pairs), protocol)
        (folder / "mnist.pkl.gz").write_bytes(gzip.compress(content))
        return folder / "mnist.pkl.gz"

    return write


def keras_pickle(data: Dataset, folder: Path) -> Path:
    pairs = [[part.images, part.labels] for part in (data.train, data.test)]
    (folder / "mnist.pkl").write_bytes(pickle.dumps(pairs))
    return folder / "mnist.pkl"


def dictionary_pickle(data: Dataset, folder: Path) -> Path:
    """As the book "Deep Learning from Scratch" caches it."""
    named = {"train_img": flat(data.train), "train_label": data.train.labels}
    named |= {"test_img": flat(data.test), "test_label": data.test.labels}
    (folder / "mnist.pkl").write_bytes(pickle.dumps(named, -1))
    return folder / "mnist.pkl"


def arff(data: Dataset, folder: Path) -> Path:
    """As OpenML's `mnist_784`: one part, the label last and in quotes."""
    head = ["% made up", "@RELATION mnist_784", ""]
    head += [f"@ATTRIBUTE pixel{number} real" for number in range(1, 785)]
    head += ["@ATTRIBUTE class {0,1,2,3,4,5,6,7,8,9}", "", "@DATA"]
    rows = [
        ",".join(map(str, image.ravel())) + f",'{label}'"
        for part in (data.train, data.test)
        for image, label in zip(part.images, part.labels, strict=True)
    ]
    (folder / "mnist_784.arff").write_text("\n".join(head + rows))
    return folder / "mnist_784.arff"


def libsvm(data: Dataset, folder: Path) -> Path:
    """As LIBSVM's `mnist.bz2` and `mnist.t.bz2`: blank pixels at the end are not there."""
    for name, part in (("mnist", data.train), ("mnist.t", data.test)):
        text = io.BytesIO()
        dump_svmlight_file(flat(part).astype(float), part.labels.astype(float), text, zero_based=False)
        (folder / f"{name}.bz2").write_bytes(bz2.compress(text.getvalue()))
    return folder


def caffe(data: Dataset, folder: Path) -> Path:
    """As Caffe's `convert_mnist_data` does."""
    datum = message("Datum")
    for name, part in (("train", data.train), ("test", data.test)):
        with (
            lmdb.open(str(folder / f"mnist_{name}_lmdb"), map_size=2**24) as database,
            database.begin(write=True) as out,
        ):
            for row, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
                value = datum(channels=1, height=28, width=28, data=image.tobytes(), label=int(label))
                out.put(f"{row:08}".encode(), value.SerializeToString())
    return folder


def tfrecord(features: Callable[[np.ndarray, int], dict[str, Any]]) -> Callable[[Dataset, Path], Path]:
    def masked(content: bytes) -> bytes:
        value = google_crc32c.value(content)
        return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    def write(data: Dataset, folder: Path) -> Path:
        for name, part in (("train", data.train), ("test", data.test)):
            with (folder / f"mnist-{name}.tfrecord-00000-of-00001").open("wb") as file:
                for image, label in zip(part.images, part.labels, strict=True):
                    example = message("Example")()
                    for key, value in features(image, int(label)).items():
                        entry = example.features.feature.add(key=key)
                        if isinstance(value, bytes):
                            entry.value.bytes_list.value.append(value)
                        else:
                            entry.value.int64_list.value.append(value)
                    content = example.SerializeToString()
                    head = struct.pack("<Q", len(content))
                    file.write(head + masked(head) + content + masked(content))
        (folder / "dataset_info.json").write_text("{}")
        return folder

    return write


def torch_storage(array: np.ndarray) -> str:
    return {"uint8": "ByteStorage", "int64": "LongStorage"}[array.dtype.name]


class TorchPickler(pickle._Pickler):  # type: ignore[name-defined]
    """Writes arrays as `torch.save` writes tensors, by the rules of `torch.serialization`."""

    def __init__(self, file: Any, legacy: bool) -> None:
        super().__init__(file, protocol=2)
        self.legacy, self.arrays = legacy, []

    def save(self, value: Any, save_persistent_id: bool = True) -> Any:
        if not isinstance(value, np.ndarray):
            return super().save(value, save_persistent_id)
        self.arrays.append(value)
        key = str(len(self.arrays) - 1)
        self.write(b"ctorch._utils\n_rebuild_tensor_v2\n(")
        self.write(b"(")  # the persistent id
        super().save("storage")
        self.write(f"ctorch\n{torch_storage(value)}\n".encode())
        for one in (key, "cpu", value.size, *([None] if self.legacy else [])):
            super().save(one)
        self.write(b"tQ")
        for one in (0, value.shape, tuple(step // value.itemsize for step in value.strides), False):
            super().save(one)
        self.write(b"ccollections\nOrderedDict\n)RtR")
        return None


def torch_saved(value: Any, legacy: bool) -> bytes:
    out = io.BytesIO()
    if legacy:
        for one in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            out.write(pickle.dumps(one, 2))
        pickler = TorchPickler(out, legacy)
        pickler.dump(value)
        out.write(pickle.dumps([str(key) for key in range(len(pickler.arrays))], 2))
        for array in pickler.arrays:
            out.write(struct.pack("<q", array.size) + array.tobytes())
        return out.getvalue()
    content = io.BytesIO()
    pickler = TorchPickler(content, legacy)
    pickler.dump(value)
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("archive/data.pkl", content.getvalue())
        packed.writestr("archive/byteorder", "little")
        for key, array in enumerate(pickler.arrays):
            packed.writestr(f"archive/data/{key}", array.tobytes())
    return out.getvalue()


def processed(legacy: bool) -> Callable[[Dataset, Path], Path]:
    """As torchvision keeps it, or kept it: `MNIST/processed`."""

    def write(data: Dataset, folder: Path) -> Path:
        (folder / "MNIST" / "processed").mkdir(parents=True)
        for name, part in (("training", data.train), ("test", data.test)):
            pair = (part.images, part.labels.astype(np.int64))
            (folder / "MNIST" / "processed" / f"{name}.pt").write_bytes(torch_saved(pair, legacy))
        return folder

    return write


def torchvision_root(data: Dataset, folder: Path) -> Path:
    from mnistry.data import idx

    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, part in (("train", data.train), ("t10k", data.test)):
        for ending in ("", ".gz"):
            idx.write(raw / f"{name}-images-idx3-ubyte{ending}", part.images)
            idx.write(raw / f"{name}-labels-idx1-ubyte{ending}", part.labels)
    return folder


def kaggle(data: Dataset, folder: Path) -> Path:
    """The digit recognizer's folder: its test file has no labels."""
    names = [f"pixel{number}" for number in range(784)]
    rows = np.column_stack([data.train.labels, flat(data.train)])
    np.savetxt(folder / "train.csv", rows, "%d", ",", header=",".join(["label", *names]), comments="")
    np.savetxt(folder / "test.csv", flat(data.test), "%d", ",", header=",".join(names), comments="")
    (folder / "sample_submission.csv").write_text(
        "ImageId,Label\n" + "".join(f"{i},0\n" for i in range(1, 36))
    )
    return folder


def packed_csv(pack: Callable[[bytes], bytes], ending: str) -> Callable[[Dataset, Path], Path]:
    def write(data: Dataset, folder: Path) -> Path:
        for name, part in (("mnist_train", data.train), ("mnist_test", data.test)):
            text = io.BytesIO()
            np.savetxt(text, np.column_stack([part.labels, flat(part)]), "%d", ",")
            (folder / f"{name}.csv{ending}").write_bytes(pack(text.getvalue()))
        return folder

    return write


def pandas_index(data: Dataset, folder: Path) -> Path:
    """As `DataFrame.to_csv` writes a table without being told otherwise."""
    for name, part in (("train", data.train), ("test", data.test)):
        rows = np.column_stack([np.arange(len(part)), flat(part), part.labels])
        names = ["", *map(str, range(784)), "class"]
        np.savetxt(folder / f"{name}.csv", rows, "%d", ",", header=",".join(names), comments="")
    return folder


WAYS: dict[str, Callable[[Dataset, Path], Path]] = {
    "hugging face": hugging_face,
    "parquet shards": shards,
    "npy": npy_files,
    "npz keras": npz_called("x_train", "y_train", "x_test", "y_test"),
    "npz X": npz_called("X", "y", "X_test", "y_test"),
    "npz images": npz_called("train_images", "train_labels", "test_images", "test_labels"),
    "npz data": npz_called("data_train", "target_train", "data_test", "target_test"),
    "npz trainX": npz_called("trainX", "trainY", "testX", "testY"),
    "medmnist": medmnist,
    "hdf5 usps": hdf5_groups,
    "hdf5 keras": hdf5_flat,
    "matlab emnist": emnist_matlab,
    "matlab mldata": mldata_matlab,
    "matlab 7.3": matlab_73,
    "matlab, an array a digit": mnist_all,
    "npz, an array a digit": npz_of_each_digit,
    "hdf5, an array a digit": hdf5_of_each_digit,
    "pickle, protocol 0": theano_pickle(0),
    "pickle, protocol 2": theano_pickle(2),
    "pickle, protocol 5": theano_pickle(5),
    "pickle keras": keras_pickle,
    "pickle dictionary": dictionary_pickle,
    "arff": arff,
    "libsvm": libsvm,
    "caffe": caffe,
    "tfds": tfrecord(lambda image, label: {"image": png(image), "label": label}),
    "tf slim": tfrecord(
        lambda image, label: {
            "image/class/label": label,
            "image/encoded": png(image),
            "image/format": b"png",
            "image/height": 28,
            "image/width": 28,
        }
    ),
    "tf raw": tfrecord(
        lambda image, label: {
            "height": 28,
            "width": 28,
            "depth": 1,
            "label": label,
            "image_raw": image.tobytes(),
        }
    ),
    "torchvision": torchvision_root,
    "torch": processed(legacy=False),
    "torch before 1.6": processed(legacy=True),
    "kaggle": kaggle,
    "csv.gz": packed_csv(gzip.compress, ".gz"),
    "csv.xz": packed_csv(lzma.compress, ".xz"),
    "csv with an index": pandas_index,
}
ONE_PART = {"matlab mldata", "arff", "kaggle"}
"""What has no test part: every seventh example becomes it."""


@pytest.mark.parametrize("way", WAYS)
def test_what_others_wrote(digits: Dataset, tmp_path: Path, way: str) -> None:
    path = WAYS[way](digits, tmp_path)
    dataset = mnistry.load(path)
    if way in ONE_PART:
        given = [digits.train] if way == "kaggle" else [digits.train, digits.test]
        images = np.concatenate([part.images for part in given])
        labels = np.concatenate([part.labels for part in given])
        test = np.arange(len(images)) % 7 == 6
        expected = (Examples(images[~test], labels[~test]), Examples(images[test], labels[test]))
    elif "an array a digit" in way:
        expected = tuple(part[np.argsort(part.labels, kind="stable")] for part in (digits.train, digits.test))
        told = "train0 to train9 and test0 to test9 are taken for the images of one digit each"
        assert told in dataset.notes
    else:
        expected = (digits.train, digits.test)
    for part, right in zip((dataset.train, dataset.test), expected, strict=True):
        np.testing.assert_array_equal(part.images, right.images)
        np.testing.assert_array_equal(part.labels, right.labels)
    assert dataset.class_names == digits.class_names
    assert dataset.doubts == frozenset()
    assert len(dataset.validation) == (7 if way == "medmnist" else 10) if dataset.validation else True
    assert ("matlab" in way) == any("pixels are taken as stored" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"test7": None}, "for each digit of the test part, found 0: (5, 784), 1:"),
        ({"train7": np.zeros((3, 100), np.uint8)}, "for each digit of the train part"),
        (
            {f"test{digit}": None for digit in range(10)} | {"train3": None},
            "expected images and labels by name",
        ),
    ],
)
def test_what_lacks_a_digit(digits: Dataset, tmp_path: Path, change: dict[str, Any], found: str) -> None:
    arrays = of_each_digit(digits) | change
    scipy.io.savemat(tmp_path / "a.mat", {name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DataError, match=re.escape(found)) as raised:
        mnistry.load(tmp_path / "a.mat")
    assert "a.mat" in str(raised.value)
