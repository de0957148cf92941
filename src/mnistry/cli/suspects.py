"""`mnistry data suspects`: labels that are probably wrong, as a table and as a sheet to look at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mnistry import atomic
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.datasets import load
from mnistry.errors import DataError, InvalidValueError
from mnistry.suspects import FOLDS, Suspect, find_suspects, suspects_sheet, write_table

SHOWN = 20
"""So many stand in the terminal; the table holds all."""


@dataclass(frozen=True)
class Suspects:
    """Find labels that are probably wrong: those that models deny which have not seen the image."""

    name_or_path: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME-OR-PATH")]
    """A named data set, or the path of one of your own; see `mnistry data info`."""

    part: Literal["all", "train", "validation", "test"] = "all"
    """Whose labels are looked at. The models learn from all parts."""

    sheet: Annotated[Path | None, tyro.conf.arg(metavar="FILE.png")] = None
    """Draw the suspects in this PNG file, each with its label and what it probably is."""

    csv: Annotated[Path | None, tyro.conf.arg(metavar="FILE.csv")] = None
    """Write them here: part, row, label, suggested, quality, confident."""

    most: int = 100
    """So many at most, the least fitting first."""

    recipe: str = "dash"
    """How the models are trained; `mnistry recipes` lists them."""

    folds: int = FOLDS
    """How many models are trained, each to judge the part of the images that it has not seen."""

    seed: int = 0
    """Decides the folds and the models."""

    data_dir: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """A folder to look in first, before MNISTRY_DATA and the cache."""

    images: Annotated[ImageForm, tyro.conf.arg(name="")] = AS_MNIST

    check_images: bool = True
    """Make sure that digits of your own are not read far better inverted, transposed or scaled."""

    def run(self, console: Console) -> None:
        if self.most < 1:
            raise InvalidValueError(f"`most` must be at least 1, not {self.most}")
        form = self.images.to_json()
        dataset = load(self.name_or_path, self.data_dir, **form, check_images=self.check_images)
        for note in dataset.notes:
            console.print(note, soft_wrap=True, markup=False)
        try:
            found = find_suspects(
                dataset,
                self.part,
                recipe=self.recipe,
                folds=self.folds,
                seed=self.seed,
                most=self.most,
            )
        except ModuleNotFoundError as error:
            raise InvalidValueError(
                f"suspects are found by {error.name}, which is not installed: pip install 'mnistry[suspects]'"
            ) from error
        console.print(_summary(found, dataset.name), soft_wrap=True, markup=False)
        console.print(_table(found[:SHOWN], dataset.class_names))
        if len(found) > SHOWN and not self.csv:
            console.print(f"and {len(found) - SHOWN:,} more; write them all with --csv FILE.csv")
        try:
            if self.csv:
                write_table(self.csv, found, dataset.class_names)
                console.print(f"wrote {self.csv}", soft_wrap=True, markup=False)
            if self.sheet:
                with atomic.replacing(self.sheet) as file:
                    suspects_sheet(found, dataset.class_names).save(file, format="png")
                console.print(f"wrote {self.sheet}", soft_wrap=True, markup=False)
        except OSError as error:
            raise DataError(f"{error.filename}: cannot be written: {error.strerror or error}.") from error


def _summary(found: list[Suspect], name: str) -> str:
    denied = sum(one.quality < 0.5 for one in found)
    confident = sum(one.confident for one in found)
    return (
        f"{name}: of the {len(found):,} labels that fit least, the models take {denied:,} for another class; "
        f"confident learning counts {confident:,} as wrong. Look at them before you change any."
    )


def _table(found: list[Suspect], class_names: tuple[str, ...]) -> Table:
    table = Table("part", "row", "label", "probably", "quality", "confident", box=None, pad_edge=False)
    for one in found:
        names = (Text(class_names[one.label]), Text(class_names[one.suggested]))
        confident = "yes" if one.confident else "no"
        table.add_row(one.part, str(one.row), *names, f"{one.quality:.3f}", confident)
    return table
