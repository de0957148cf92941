"""What `mnistry data` says about the sets of handwriting."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from mnistry import atomic
from mnistry.data.handwriting import PAGE_SETS, HandwritingSet, fetch_set
from mnistry.data.handwriting.sheet import sheet_of
from mnistry.errors import DataError


def list_sets(data_dir: Path | None, console: Console) -> None:
    """Lists the sets: about how many samples, whether they are here, licence, what they show."""
    table = Table("name", "kind", "samples", "here", "licence", "what it shows", box=None, pad_edge=False)
    for entry in PAGE_SETS.values():
        here = "yes" if _is_here(entry, data_dir) else "no"
        table.add_row(entry.name, "handwriting", f"{entry.samples:,}", here, entry.licence, entry.title)
    console.print(table)


def show_set(entry: HandwritingSet, data_dir: Path | None, sheet: Path | None, console: Console) -> None:
    """Says where a set lies and what it is, and draws a sheet of it if that is wanted.

    Raises:
        DataError: it is not here, or the sheet cannot be written.
    """
    place = fetch_set(entry, data_dir, say=console.print)
    lines = (
        f"{entry.name}: {entry.title}; about {entry.samples:,} samples",
        f"read from {place.folder} ({place.verdict})",
        f"homepage  {entry.homepage}",
        f"fetched   {entry.published.url}",
        f"licence   {entry.licence}",
        f"cite      {entry.citation}",
        *(f"{samples:>9,}  {file}" for file, samples in entry.files.items()),
    )
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
    if sheet:
        picture = sheet_of(entry, place.folder)
        try:
            with atomic.replacing(sheet) as file:
                picture.save(file, format="png")
        except OSError as error:
            raise DataError(f"{sheet}: cannot be written: {error.strerror or error}.") from error
        console.print(f"\nwrote {sheet}", soft_wrap=True, markup=False)


def _is_here(entry: HandwritingSet, data_dir: Path | None) -> bool:
    try:
        fetch_set(entry, data_dir, may_download=False)
    except DataError:
        return False
    return True
