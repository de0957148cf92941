"""Folders, tables and names that label pictures; each test looks at what every picture became."""

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistry.data import Dataset, Examples, load
from mnistry.data import tree as module
from mnistry.errors import DataError


def picture(path: Path, place: int) -> Path:
    """A bar that begins in column `place`, by which it is known again."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[5:20, place : place + 3] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def found(part: Examples | None) -> dict[int, int]:
    """The label of each picture, by its place."""
    assert part is not None
    return dict(zip(part.images[:, 10].argmax(axis=1).tolist(), part.labels.tolist(), strict=True))


def everything(dataset: Dataset) -> dict[int, int]:
    return found(dataset.train) | found(dataset.test)


LABELS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7]
EXPECTED = dict(enumerate(LABELS, 1))
"""Place and label of fourteen pictures."""


# ---------------------------------------------------------------- names

FORMS = {
    "label, index": "{label}_{index:04}",
    "index, label": "{index:04}-{label}",
    "said": "img_{index}_label{label}",
    "said apart": "label_{label}_{index}",
    "said in capitals": "Digit-{label} ({index})",
    "in the middle": "scan_{label}_{index:03}",
    "a word": "{word}_{index}",
    "a word in another language": "{siete} {index}",
    "copies": "{label} ({index:02})",
    "with other digits": "mnist2024_{index:05}_{label}",
}
ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SPANISH = ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("below", ["", "pictures"])
def test_labels_in_names(tmp_path: Path, form: str, below: str) -> None:
    for index, label in EXPECTED.items():
        words = {"word": ENGLISH[label], "siete": SPANISH[label]}
        picture(tmp_path / below / f"{form.format(index=index, label=label, **words)}.png", index)
    dataset = load(tmp_path)
    assert everything(dataset) == EXPECTED
    assert dataset.class_names == tuple("0123456789")
    assert any(note.startswith("labelled by") for note in dataset.notes)


def test_names_of_parts_and_words(tmp_path: Path) -> None:
    for part, first in (("train", 1), ("valid", 8)):
        for number in range(7):
            name = ("cat", "dog")[number % 2]
            picture(tmp_path / part / f"{name}.{number:03}.png", first + number)
    dataset = load(tmp_path)
    assert dataset.class_names[:3] == ("cat", "dog", "(none)")
    assert everything(dataset) == {1: 0, 2: 1, 3: 0, 4: 1, 5: 0, 6: 1, 7: 0}
    assert found(dataset.validation) == {8: 0, 9: 1, 10: 0, 11: 1, 12: 0, 13: 1, 14: 0}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([f"{index}" for index in range(10)], r"such as '0', tell no labels: expected names with the label"),
        ([f"IMG_{index:04}" for index in range(40)], "tell no labels"),
        ([f"{index % 5}_{index // 5}" for index in range(10)], "may be word 1 or the last word of its pict"),
        ([f"{'ab'[index % 2]}_{index // 2 % 3}" for index in range(20)], "may be word 1 or the last word"),
        ([f"{index % 12}_x{index}" for index in range(36)], "tell no labels"),
    ],
)
def test_names_that_tell_no_labels_or_several(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        picture(tmp_path / f"{name}.png", 5)
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "put the pictures into a folder for each class, or write a table" in str(caught.value)


# ---------------------------------------------------------------- tables

Line = Callable[[str, int], str]
TABLES: dict[str, tuple[str, str, Line]] = {
    "csv": ("labels.csv", "file,label\n", lambda name, label: f"{name},{label}"),
    "tsv": ("labels.tsv", "file\tdigits\tkind\n", lambda name, label: f"{name}\t{label}\tpen"),
    "label first": ("y.csv", "Label,Path\n", lambda name, label: f"{label},{name}"),
    "no header": ("labels.csv", "", lambda name, label: f"{name},{label}"),
    "semicolons": ("labels.csv", "file;class\n", lambda name, label: f"{name};{label}"),
    "blanks": ("labels.txt", "", lambda name, label: f"{name} {label}"),
    "no endings": ("labels.csv", "id_code,target\n", lambda name, label: f"{name[:-4]},{label}"),
    "quotes and blanks": ("labels.csv", '"file", "label"\n', lambda name, label: f'"{name}", "{label}"'),
    "float": ("labels.csv", "file,label\n", lambda name, label: f"{name},{label}.0"),
    "words": ("labels.csv", "file,label\n", lambda name, label: f"{name},{ENGLISH[label]}"),
    "with its folder": ("labels.csv", "file,label\n", lambda name, label: f"./digits/{name},{label}"),
    "from above": ("labels.csv", "file,label\n", lambda name, label: f"own\\{name},{label}"),
    "more columns": ("labels.csv", "n,file,label\n", lambda name, label: f"9,{name},{label}"),
}


def labelled_by_table(folder: Path, form: str, below: str = "") -> Path:
    name, header, line = TABLES[form]
    for index in EXPECTED:
        picture(folder / below / f"img_{index}.png", index)
    lines = [line(f"img_{index}.png", label) for index, label in EXPECTED.items()]
    (folder / name).write_text(header + "\n".join(lines) + "\n")
    return folder / name


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("named", ["folder", "table"])
def test_labels_in_a_table(tmp_path: Path, form: str, named: str) -> None:
    below = "" if form == "from above" else "digits"
    table = labelled_by_table(tmp_path / "own", form, below)
    dataset = load(table if named == "table" else tmp_path / "own")
    assert everything(dataset) == EXPECTED
    assert dataset.notes == (f"labelled by {table.name}",)
    chosen = [row for row in range(14) if row % 7 == 6]
    assert dataset.test.labels.tolist() == [LABELS[row] for row in chosen], "in the order of the table"


def test_a_table_of_each_part(tmp_path: Path) -> None:
    for part, rows in (("train", range(1, 10)), ("test", range(10, 15))):
        for index in rows:
            picture(tmp_path / part / f"{index}.jpeg".replace("jpeg", "png"), index)
        lines = [f"{index}.png,{EXPECTED[index]}\n" for index in rows]
        (tmp_path / f"{part}.csv").write_text("image,class\n" + "".join(lines))
    dataset = load(tmp_path)
    assert found(dataset.train) == {index: EXPECTED[index] for index in range(1, 10)}
    assert found(dataset.test) == {index: EXPECTED[index] for index in range(10, 15)}
    for part in ("train", "test"):
        shutil.move(tmp_path / f"{part}.csv", tmp_path / part / "labels.csv")
    assert load(tmp_path).sha256 == dataset.sha256


def test_a_table_that_is_called_like_a_part_names_the_pictures_of_that_part(tmp_path: Path) -> None:
    for place in EXPECTED:
        picture(tmp_path / "train" / f"{place}.png", place)
        picture(tmp_path / "test" / f"{place}.png", 20)
    (tmp_path / "train.csv").write_text("".join(f"{p},{one}\n" for p, one in EXPECTED.items()))
    dataset = load(tmp_path)
    assert everything(dataset) == EXPECTED
    assert any("left out, as no table names them: test/1.png" in note for note in dataset.notes)


@pytest.mark.parametrize("form", ["{label}/{index}.png", "{label}_{index}.png"])
def test_a_part_without_labels_is_left_out_and_said(tmp_path: Path, form: str) -> None:
    for place, label in EXPECTED.items():
        picture(tmp_path / "train" / form.format(label=label, index=place), place)
        picture(tmp_path / "test" / f"{place}.png", 20)
    dataset = load(tmp_path)
    assert everything(dataset) == EXPECTED
    assert "test is left out: its pictures have no labels" in dataset.notes


def test_a_column_of_parts(tmp_path: Path) -> None:
    lines = ["file,label,split"]
    for index, label in EXPECTED.items():
        picture(tmp_path / "images" / f"{index}.png", index)
        lines.append(f"images/{index}.png,{label},{('train', 'valid', 'test')[index % 3]}")
    (tmp_path / "all.csv").write_text("\n".join(lines))
    dataset = load(tmp_path)
    for part, rest in ((dataset.train, 0), (dataset.validation, 1), (dataset.test, 2)):
        assert found(part) == {index: label for index, label in EXPECTED.items() if index % 3 == rest}


def test_pictures_that_no_table_names_are_said(tmp_path: Path) -> None:
    labelled_by_table(tmp_path, "csv")
    picture(tmp_path / "extra.png", 20)
    assert load(tmp_path).notes[1] == "left out, as no table names them: extra.png"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gone.png,3", r"row 16 names 'gone\.png': there is no such picture in .*own or below"),
        ("img_2.png,3", "it names img_2.png more than once"),
        ("new.png,", "row 16 has no label"),
        ("new.png", "row 16 has no label"),
        ("../outside.png,3", r"row 16 names '\.\./outside\.png': there is no such picture"),
        ("same.png,3", r"there are 2 of that name, such as .*a/same\.png and .*b/same\.png"),
    ],
)
def test_a_bad_line_of_a_table(tmp_path: Path, line: str, message: str) -> None:
    table = labelled_by_table(tmp_path / "own", "csv")
    for name in ("own/new.png", "outside.png", "own/a/same.png", "own/b/same.png"):
        picture(tmp_path / name, 20)
    with table.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path / "own")
    assert str(table) in str(caught.value)


def test_which_column_is_the_label(tmp_path: Path) -> None:
    table = labelled_by_table(tmp_path, "no header")
    table.write_text("".join(f"{line},7\n" for line in table.read_text().splitlines()))
    with pytest.raises(DataError, match="which column holds the labels"):
        load(tmp_path)


def test_labels_of_several_digits(tmp_path: Path) -> None:
    table = labelled_by_table(tmp_path, "csv")
    table.write_text("file,label\n" + "".join(f"img_{index}.png,{index * 111}\n" for index in EXPECTED))
    with pytest.raises(DataError, match=r"at most ten classes, .* found 14 for 14 images: 111, 222, 333"):
        load(tmp_path)


def test_several_tables(tmp_path: Path) -> None:
    table = labelled_by_table(tmp_path, "csv")
    shutil.copy(table, tmp_path / "other.csv")
    with pytest.raises(DataError, match=r"several tables name pictures: labels\.csv, other\.csv"):
        load(tmp_path)
    assert everything(load(table)) == EXPECTED


# ---------------------------------------------------------------- folders


def by_class(folder: Path) -> None:
    for index, label in EXPECTED.items():
        picture(folder / str(label) / f"{index:02}.png", index)


@pytest.mark.parametrize("above", ["", "digits", "download/digits-1.0"])
def test_folders_that_only_hold_another_are_passed_through(tmp_path: Path, above: str) -> None:
    by_class(tmp_path / above)
    assert everything(load(tmp_path)) == EXPECTED


@pytest.mark.parametrize("called", [("training", "testing"), ("train", "valid"), ("Train", "Test")])
@pytest.mark.parametrize("above", ["", "download"])
@pytest.mark.parametrize("below", ["", "images"])
def test_parts_and_classes(tmp_path: Path, called: tuple[str, str], above: str, below: str) -> None:
    for part, first in zip(called, (1, 15), strict=True):
        for index, label in EXPECTED.items():
            if part == called[0] or index < 4:
                picture(tmp_path / above / part / below / str(label) / f"{index}.png", first + index - 1)
    dataset = load(tmp_path)
    other = dataset.validation if called[1] == "valid" else dataset.test
    assert found(other) == {15: 3, 16: 1, 17: 4}
    if called[1] != "valid":
        assert found(dataset.train) == EXPECTED


def test_parts_below_classes(tmp_path: Path) -> None:
    for index, label in EXPECTED.items():
        picture(tmp_path / str(label) / ("test" if index > 10 else "train") / f"{index}.png", index)
    dataset = load(tmp_path)
    assert found(dataset.train) == {index: EXPECTED[index] for index in range(1, 11)}
    assert found(dataset.test) == {index: EXPECTED[index] for index in range(11, 15)}
    stray = picture(tmp_path / "7" / "stray.png", 20)
    with pytest.raises(DataError, match=rf"{stray}: it is in no folder of a part"):
        load(tmp_path)


def test_what_lies_deeper_in_a_class_folder_is_of_that_class(tmp_path: Path) -> None:
    for index, label in EXPECTED.items():
        picture(tmp_path / str(label) / f"writer{index % 3}" / f"{index}.png", index)
    assert everything(load(tmp_path)) == EXPECTED


def test_pictures_beside_class_folders_are_left_out_and_said(tmp_path: Path) -> None:
    by_class(tmp_path)
    picture(tmp_path / "overview.png", 20)
    dataset = load(tmp_path)
    assert everything(dataset) == EXPECTED
    assert dataset.notes == ("left out, as they are in no class folder: overview.png",)


def test_other_sizes_are_said(tmp_path: Path) -> None:
    by_class(tmp_path)
    for path in list(tmp_path.rglob("*.png"))[:5]:
        Image.open(path).resize((16, 16)).save(path)
    assert load(tmp_path).notes == (
        "5 of 14 pictures are not 28×28: the ink of each was scaled and centred as MNIST's was",
    )


def test_too_many_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_class(tmp_path)
    monkeypatch.setattr(module, "_MOST_FILES", 2)
    with pytest.raises(DataError, match="/5: there are more than the 2 files that are accepted"):
        load(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(module, "MOST_PICTURES", 2)
    with pytest.raises(DataError, match="there are 14 pictures; at most 2 are accepted"):
        load(tmp_path)


# ---------------------------------------------------------------- archives

ARCHIVES = {"zip": "zip", "tar": "tar", "gztar": "tar.gz", "bztar": "tar.bz2", "xztar": "tar.xz"}


@pytest.mark.parametrize("form", ARCHIVES)
def test_archives(tmp_path: Path, form: str) -> None:
    for number, make in enumerate((by_class, lambda folder: labelled_by_table(folder, "tsv", "images"))):
        folder = tmp_path / f"made{number}"
        make(folder / "inner")  # type: ignore[operator]
        path = Path(shutil.make_archive(str(tmp_path / f"digits{number}"), form, folder))
        assert path.name == f"digits{number}.{ARCHIVES[form]}"
        for name in (path, path.rename(tmp_path / f"other-name{number}")):
            if name.exists():
                dataset = load(name)
                assert everything(dataset) == EXPECTED
                assert dataset.source.startswith(str(name))
                assert dataset.name == name.name.removesuffix(f".{ARCHIVES[form]}")


@pytest.mark.parametrize("form", ["zip", "gztar"])
def test_archives_of_other_data_sets(small: Dataset, tmp_path: Path, form: str) -> None:
    from mnistry.data.convert import write

    write(small, tmp_path / "idx" / "x", "idx")
    write(small, tmp_path / "npz" / "x.npz", "npz")
    for name in ("idx/x", "npz"):
        path = shutil.make_archive(str(tmp_path / "packed"), form, tmp_path / name)
        np.testing.assert_array_equal(load(Path(path)).train.images, small.train.images)


def test_errors_name_what_is_in_the_archive(tmp_path: Path) -> None:
    by_class(tmp_path / "made")
    (tmp_path / "made" / "3" / "bad.png").write_bytes(b"none")
    path = shutil.make_archive(str(tmp_path / "digits"), "zip", tmp_path / "made")
    with pytest.raises(DataError, match=rf"{path}/3/bad\.png: not a picture"):
        load(Path(path))


@pytest.mark.parametrize("name", ["../../out.png", "/tmp/out.png", "a/../../out.png", "..\\out.png", "."])
@pytest.mark.parametrize("form", ["zip", "tar"])
def test_names_that_lead_out_of_an_archive(tmp_path: Path, name: str, form: str) -> None:
    path = tmp_path / f"evil.{form}"
    source = picture(tmp_path / "in.png", 1)
    if form == "zip":
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr(zipfile.ZipInfo(name), source.read_bytes())
    else:
        with tarfile.open(path, "w") as tar:
            entry = tar.gettarinfo(source)
            entry.name = name
            with source.open("rb") as file:
                tar.addfile(entry, file)
    with pytest.raises(DataError, match=r"evil\.\w+: not a readable archive: the name .* leads out of it"):
        load(path)


def test_links_and_litter_in_an_archive_are_not_unpacked(tmp_path: Path) -> None:
    by_class(tmp_path / "made")
    (tmp_path / "made" / "3" / "link.png").symlink_to("/etc/passwd")
    (tmp_path / "made" / "__MACOSX").mkdir()
    (tmp_path / "made" / "__MACOSX" / "._3.png").write_bytes(b"x")
    path = shutil.make_archive(str(tmp_path / "digits"), "gztar", tmp_path / "made")
    dataset = load(Path(path))
    assert everything(dataset) == EXPECTED
    assert dataset.notes == ()


@pytest.mark.parametrize("form", ["zip", "gztar"])
def test_a_damaged_archive(tmp_path: Path, form: str) -> None:
    by_class(tmp_path / "made")
    path = Path(shutil.make_archive(str(tmp_path / "digits"), form, tmp_path / "made"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"not a readable archive|its compression is damaged"):
        load(path)


def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path) -> None:
    by_class(tmp_path / "made")
    inner = shutil.make_archive(str(tmp_path / "x" / "inner"), "zip", tmp_path / "made")
    path = shutil.make_archive(str(tmp_path / "outer"), "zip", Path(inner).parent)
    with pytest.raises(DataError, match=r"outer\.zip: not a data set"):
        load(Path(path))
