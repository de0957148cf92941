"""`mnistry data`: what data sets there are, where they lie, what is in them, which labels may be wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mnistry import atomic
from mnistry.cli.handwriting import list_sets, show_set
from mnistry.cli.parsing import parsed
from mnistry.cli.suspects import Suspects
from mnistry.data import Dataset
from mnistry.data.catalog import CATALOG
from mnistry.data.convert import Format, format_for, write
from mnistry.data.fetch import fetch
from mnistry.data.handwriting import SETS, fetch_set
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.data.sheet import draw_sheet
from mnistry.datasets import load
from mnistry.errors import DataError, UnknownNameError

SHEET_EXAMPLES_PER_CLASS = 12

Folder = Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")]
Source = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME-OR-PATH")]


@dataclass(frozen=True)
class List:
    """List the named data sets."""

    data_dir: Folder = None
    """A folder to look in first, before MNISTRY_DATA and the cache."""

    def run(self, console: Console) -> None:
        table = Table("name", "train", "test", "here", "what it shows", box=None, pad_edge=False)
        for entry in CATALOG.values():
            train, test = entry.counts
            here = "yes" if _is_here(entry.name, self.data_dir) else "no"
            table.add_row(entry.name, f"{train:,}", f"{test:,}", here, entry.title)
        console.print(table)
        console.print("\nFor the pages that a detector learns from:")
        list_sets(self.data_dir, console)


@dataclass(frozen=True)
class Fetch:
    """Find a data set's files, or download them, and say where they are."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """A named data set; `mnistry data list` lists them."""

    data_dir: Folder = None
    """A folder to look in first, before MNISTRY_DATA and the cache."""

    def run(self, console: Console) -> None:
        made_of = CATALOG[self.name].made_of if self.name in CATALOG else self.name
        if made_of in SETS:
            place = fetch_set(SETS[made_of], self.data_dir, say=console.print)
            for file in SETS[made_of].files:
                console.print(f"{place.folder / file} ({place.verdict})", soft_wrap=True, markup=False)
            return
        if self.name not in CATALOG:
            raise UnknownNameError("data set", self.name, [*CATALOG, *SETS])
        entry = CATALOG[self.name]
        if not entry.files:
            console.print(f"{self.name} comes with scikit-learn; there is nothing to fetch.")
        for found in fetch(entry, self.data_dir):
            verdict = "verified" if found.verified else "not verified: no published checksum applies"
            console.print(f"{found.path} ({verdict})", soft_wrap=True)


@dataclass(frozen=True)
class Info:
    """Show what a data set holds: sizes, classes, hashes, licence."""

    name_or_path: Source
    """A named data set, or a file or folder of your own: pictures, IDX, CSV, npz, parquet, HDF5 …."""

    data_dir: Folder = None
    """A folder to look in first, before MNISTRY_DATA and the cache."""

    images: Annotated[ImageForm, tyro.conf.arg(name="")] = AS_MNIST

    check_images: bool = True
    """Make sure that digits of your own are not read far better inverted, transposed or scaled."""

    sheet: Annotated[Path | None, tyro.conf.arg(metavar="FILE.png")] = None
    """Draw the first examples of each class of the test part in this PNG file, or samples of handwriting."""

    def run(self, console: Console) -> None:
        if self.name_or_path in SETS and self.name_or_path not in CATALOG:
            show_set(SETS[self.name_or_path], self.data_dir, self.sheet, console)
            return
        form = self.images.to_json()
        dataset = load(self.name_or_path, self.data_dir, **form, check_images=self.check_images)
        held = f"{len(dataset.validation):,} for validation, " if dataset.validation else ""
        console.print(
            f"{dataset.name}: {len(dataset.train):,} for training, {held}{len(dataset.test):,} for testing",
            markup=False,
        )
        for line in (f"read from {dataset.source}", *dataset.notes):
            console.print(line, soft_wrap=True, markup=False)
        if entry := CATALOG.get(self.name_or_path):
            console.print(f"homepage  {entry.homepage}", soft_wrap=True)
            if entry.made_of:
                console.print(f"fetched   {SETS[entry.made_of].published.url}", soft_wrap=True)
            console.print(f"licence   {entry.licence}", soft_wrap=True)
            console.print(f"cite      {entry.citation}", soft_wrap=True)
        console.print()
        console.print(_class_table(dataset))
        console.print("\nSHA-256 of the content")
        for name, digest in dataset.sha256.items():
            console.print(f"{digest}  {name}", soft_wrap=True)
        if self.sheet:
            _write_sheet(dataset, self.sheet)
            console.print(f"\nwrote {self.sheet}", soft_wrap=True)


@dataclass(frozen=True)
class Convert:
    """Write a data set in another format; nothing is overwritten."""

    name_or_path: Source
    """A named data set, or a file or folder of your own: pictures, IDX, CSV, npz, parquet, HDF5 …."""

    out: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """The folder to make, or for npz and hdf5 the file."""

    to: Annotated[Format | None, tyro.conf.arg(metavar="idx|npz|npy|png|csv|parquet|hdf5|lmdb")] = None
    """The format. Without it: npz if OUT ends in .npz, hdf5 if in .h5, idx if it has no ending."""

    data_dir: Folder = None
    """A folder to look in first, before MNISTRY_DATA and the cache."""

    images: Annotated[ImageForm, tyro.conf.arg(name="")] = AS_MNIST

    check_images: bool = True
    """Make sure that digits of your own are not read far better inverted, transposed or scaled."""

    def run(self, console: Console) -> None:
        to = self.to or format_for(self.out)
        form = self.images.to_json()
        dataset = load(self.name_or_path, self.data_dir, **form, check_images=self.check_images)
        write(dataset, self.out, to)
        for note in dataset.notes:
            console.print(note, soft_wrap=True, markup=False)
        console.print(f"wrote {self.out}", soft_wrap=True, markup=False)


Command = (
    Annotated[List, tyro.conf.subcommand("list")]
    | Annotated[Fetch, tyro.conf.subcommand("fetch")]
    | Annotated[Info, tyro.conf.subcommand("info")]
    | Annotated[Convert, tyro.conf.subcommand("convert")]
    | Annotated[Suspects, tyro.conf.subcommand("suspects")]
)


def main(arguments: list[str]) -> int:
    """Runs `mnistry data` with what follows it on the command line. Returns the exit status.

    Raises:
        MnistryError: what the user asked for cannot be done.
        SystemExit: help was asked for, or the arguments are wrong.
    """
    command: List | Fetch | Info | Convert | Suspects = parsed(
        Command,
        args=arguments,
        prog="mnistry data",
        description="Data sets: what there is, where it lies, what is in it.",
    )
    command.run(Console(highlight=False))
    return 0


def _is_here(name: str, data_dir: Path | None) -> bool:
    entry = CATALOG[name]
    try:
        if entry.made_of:
            fetch_set(SETS[entry.made_of], data_dir, may_download=False)
        else:
            fetch(entry, data_dir, may_download=False)
    except DataError:
        return False
    return True


def _class_table(dataset: Dataset) -> Table:
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    held = {name: part for name, part in parts.items() if part is not None}
    table = Table("label", "class", *held, box=None, pad_edge=False)
    counts = [np.bincount(part.labels, minlength=len(dataset.class_names)) for part in held.values()]
    for label, name in enumerate(dataset.class_names):
        table.add_row(str(label), Text(name), *(f"{count[label]:,}" for count in counts))
    return table


def _write_sheet(dataset: Dataset, path: Path) -> None:
    labels = dataset.test.labels
    rows = np.concatenate(
        [np.flatnonzero(labels == label)[:SHEET_EXAMPLES_PER_CLASS] for label in np.unique(labels)]
    )
    captions = [dataset.class_names[label] for label in labels[rows]]
    try:
        with atomic.replacing(path) as file:
            draw_sheet(dataset.test.images[rows], captions, SHEET_EXAMPLES_PER_CLASS).save(file, format="png")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}.") from error
