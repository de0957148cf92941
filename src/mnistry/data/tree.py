"""Which pictures a folder holds, and of which part and class each is: by folders, a table, or their names."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistry.data.file_labels import UnlabelledError, labels_in_names
from mnistry.data.label_table import TABLES, is_label_table, may_be_label_table, read_label_table
from mnistry.data.parts import PARTS, Part, part_called, parts_among
from mnistry.data.skipped import SUFFIXES, describe_skipped, is_litter
from mnistry.errors import DataError

MOST_PICTURES = 340_000
"""More are refused, as more images in an array are."""
_MOST_FILES = 2 * MOST_PICTURES


@dataclass(frozen=True)
class Labelled:
    """A picture of a data set.

    Attributes:
        path: its file.
        name: what its class is called: a folder's name, a table's label, or a part of the file's own name.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class Tree:
    """The pictures of a folder.

    Attributes:
        root: where they begin; folders that only hold another are passed through.
        parts: those of each part, in the order of their names, or of the table; of training alone where the
            folder is not divided.
        class_folders: the folders of the classes, also empty ones, if they are labelled so.
        notes: how they were labelled, where it is not by folders, and what was left out.
    """

    root: Path
    parts: dict[Part, list[Labelled]]
    class_folders: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (count := sum(map(len, self.parts.values()))) > MOST_PICTURES:
            raise DataError(
                f"{self.root}: there are {count:,} pictures; at most {MOST_PICTURES:,} are accepted."
            )


def find_pictures(folder: Path) -> Tree:
    """Finds the labelled pictures of a folder, perhaps below folders of parts such as `train` and `valid`.

    In the folder, or in that of each part, there is one of these; a folder that only holds another is passed
    through.

    - a table of files and labels; see `mnistry.data.label_table`;
    - a folder for each class, with pictures in it and below; the parts may be folders in those of classes;
    - pictures whose names tell their labels; see `mnistry.data.file_labels`.

    Raises:
        DataError: it is none of these, two folders are called like one part, or there are too many files.
    """
    tables = _tables(folder)
    if tables:
        return _of_tables(folder, tables)
    below = _folders(folder)
    called = parts_among(below, folder)
    if not ("train" in called or (called and len(called) == len(below))):
        return _undivided(folder)
    notes = []
    if others := [name for name in below if name not in called.values()]:
        notes.append(f"left out, as they are called like no part: {', '.join(others)}")
    parts: dict[Part, list[Labelled]] = {}
    class_folders: set[str] = set()
    for part, name in called.items():
        try:
            found = find_pictures(folder / name) if _tables(folder / name) else _undivided(folder / name)
        except UnlabelledError:
            if part == "train":
                raise
            notes.append(f"{name} is left out: its pictures have no labels")
            continue
        if set(found.parts) != {"train"}:
            raise DataError(f"{folder / name}: it is one part, {part}, and in itself divided into parts.")
        parts[part] = found.parts["train"]
        class_folders.update(found.class_folders)
        notes += found.notes
    return Tree(folder, _in_order(parts), tuple(sorted(class_folders)), tuple(dict.fromkeys(notes)))


def _undivided(folder: Path) -> Tree:
    """The pictures of a folder in which there are no folders of parts."""
    below = _folders(folder)
    direct = _pictures_in(folder)
    if len(below) == 1 and not direct and _is_only_passed_through(folder / below[0]):
        return find_pictures(folder / below[0])
    classes = {name: list(_files_below(folder / name)) for name in below}
    if any(map(_pictures_among, classes.values())) or (classes and not direct):
        return _of_class_folders(folder, classes, direct)
    if not direct:
        raise DataError(
            f"{folder}: not a data set: expected IDX files, train.csv, a picture folder for each class, or "
            "pictures with a table of files and labels."
        )
    names, how = labels_in_names([path.stem for path in direct], folder)
    found = [Labelled(path, name) for path, name in zip(direct, names, strict=True)]
    others = [path for path in _regular(folder) if path.suffix.lower() not in SUFFIXES]
    return Tree(folder, {"train": found}, notes=(how, *_left_out(folder, others)))


def _is_only_passed_through(folder: Path) -> bool:
    """Whether a folder that is alone in another is no class: what it holds is divided or labelled itself."""
    if part_called(folder.name):
        return False
    if _folders(folder) or _tables(folder):
        return True
    try:
        labels_in_names([path.stem for path in _pictures_in(folder)], folder)
    except DataError:
        return False
    return True


def _of_class_folders(folder: Path, classes: dict[str, list[Path]], direct: Sequence[Path]) -> Tree:
    """Pictures by class; divided if all lie in folders of parts below those of their classes."""
    parts: dict[Part | None, list[Labelled]] = {}
    skipped = []
    for name, files in classes.items():
        for path in files:
            if path.suffix.lower() not in SUFFIXES:
                skipped.append(path)
                continue
            between = path.relative_to(folder / name).parts[:-1]
            part = next((part for one in between if (part := part_called(one))), None)
            parts.setdefault(part, []).append(Labelled(path, name))
    divided = {part: found for part, found in parts.items() if part}
    if divided and None in parts:
        raise DataError(
            f"{parts[None][0].path}: it is in no folder of a part, as {next(iter(divided.values()))[0].path} "
            "is. Put all pictures into folders of parts, or none."
        )
    notes = _left_out(folder, skipped)
    if direct:
        notes = (*notes, f"left out, as they are in no class folder: {_some(path.name for path in direct)}")
    if not parts:
        raise DataError(f"{folder}: there are no pictures in its class folders {', '.join(classes)}.")
    return Tree(folder, _in_order(divided) or {"train": parts[None]}, tuple(classes), notes)


def _of_tables(folder: Path, tables: Sequence[Path]) -> Tree:
    """The pictures that a table names; or tables, one a part."""
    pictures = _pictures_among(_files_below(folder))
    called: dict[Part, str] = {}
    if len(tables) > 1:
        called = parts_among((table.stem for table in tables), folder)
        if len(called) != len(tables):
            raise DataError(
                f"{folder}: several tables name pictures: {', '.join(table.name for table in tables)}. "
                "Call each like a part, such as train.csv and test.csv, or name one of them."
            )
    parts: dict[Part, list[Labelled]] = {}
    for table in tables:
        whole = next((part for part, stem in called.items() if stem == table.stem), None)
        for row in read_label_table(table, pictures):
            part = whole or row.part or "train"
            parts.setdefault(part, []).append(Labelled(row.path, row.label))
    named = {one.path for found in parts.values() for one in found}
    notes = [f"labelled by {', '.join(table.name for table in tables)}"]
    if others := [path for path in pictures if path not in named]:
        shown = _some(str(path.relative_to(folder)) for path in others)
        notes.append(f"left out, as no table names them: {shown}")
    return Tree(folder, _in_order(parts), notes=tuple(notes))


def tree_of_tables(path: Path) -> Tree | None:
    """The pictures that tables name: one table, those of a folder, or those of its parts; None if none does.

    Raises:
        DataError: a table names pictures that are not there, or does not say which column is the label.
    """
    if not path.is_dir():
        return _of_tables(path.parent, [path]) if _label_tables(path.parent, [path]) else None
    if _tables(path):
        return find_pictures(path)
    below = _folders(path)
    parts = parts_among(below, path).values()
    if any(_tables(path / name) for name in parts):
        return find_pictures(path)
    return tree_of_tables(path / below[0]) if len(below) == 1 and not parts and not _regular(path) else None


def _tables(folder: Path) -> list[Path]:
    """The files of a folder that are tables of its pictures and their labels."""
    return _label_tables(folder, [path for path in _regular(folder) if path.suffix.lower() in TABLES])


def _label_tables(folder: Path, files: Iterable[Path]) -> list[Path]:
    possible = [path for path in files if may_be_label_table(path)]
    if not possible:
        return []  # without a look at what lies below
    pictures = _pictures_among(_files_below(folder))
    return [path for path in possible if is_label_table(path, pictures)]


def _in_order(parts: Mapping[Part, list[Labelled]]) -> dict[Part, list[Labelled]]:
    return {part: parts[part] for part in PARTS if part in parts}


def _left_out(folder: Path, files: Iterable[Path]) -> tuple[str, ...]:
    skipped = describe_skipped(path.relative_to(folder) for path in files)
    return (skipped,) if skipped else ()


def _some(names: Iterable[str], most: int = 5) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _folders(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir() if child.is_dir() and not is_litter(child.name))


def _regular(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if not child.is_dir() and not is_litter(child.name))


def _pictures_in(folder: Path) -> list[Path]:
    return _pictures_among(_regular(folder))


def _pictures_among(files: Iterable[Path]) -> list[Path]:
    return [path for path in files if path.suffix.lower() in SUFFIXES]


def _files_below(folder: Path) -> Iterator[Path]:
    """The files in a folder and below, in the order of their names; no folder that is a link is entered."""
    count = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        count += len(files) + len(folders)
        if count > _MOST_FILES:
            raise DataError(f"{folder}: there are more than the {_MOST_FILES:,} files that are accepted.")
        yield from (Path(place, name) for name in sorted(files) if not is_litter(name))
