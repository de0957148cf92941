"""Which files of a folder are pictures that can be read, and which are left out, and why."""

from collections.abc import Iterable
from pathlib import Path

SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
        *(".avif", ".heic", ".heif", ".svg"),
        *(".pbm", ".pgm", ".ppm", ".pnm"),
    }
)
"""What the names of pictures end in."""
_MOST_NAMED = 5  # files of one kind that are named one by one
_LITTER = frozenset({"thumbs.db", "desktop.ini"})  # what Windows leaves in folders of pictures
PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
_KINDS = {
    (".jxl", ".jp2", ".psd", ".eps", ".ico"): "not a format that is read: save it as PNG or JPEG",
    (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2"): "a raw photo: save it as JPEG or PNG",
    (".pdf",): "a PDF: save its pages as PNG or JPEG",
    PACKED: "packed: unpack it first",
}
_REASONS = {ending: reason for endings, reason in _KINDS.items() for ending in endings}


def is_litter(name: str) -> bool:
    """Whether a file is hidden, or was left by a file manager: it is not meant as data."""
    return name.startswith(".") or name.lower() in _LITTER


def describe_skipped(files: Iterable[Path], of_pictures: str = "no regular file") -> str:
    """Which files are skipped, and why, in one line; empty for none.

    Args:
        files: by the names that are shown.
        of_pictures: why those are skipped that end as pictures do.

    >>> describe_skipped([Path("b.pdf"), Path("a.zip")])
    '2 skipped: a.zip (packed: unpack it first), b.pdf (a PDF: save its pages as PNG or JPEG)'
    """
    by_reason: dict[str, list[str]] = {}
    files = sorted(files)
    for file in files:
        ending = file.suffix.lower()
        reason = _REASONS.get(ending, "not known as a picture by its ending")
        if ending in SUFFIXES:
            reason = of_pictures
        by_reason.setdefault(reason, []).append(str(file))
    groups = []
    for reason, names in by_reason.items():
        shown = ", ".join(names[:_MOST_NAMED])
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        groups.append(f"{shown}{more} ({reason})")
    return f"{len(files):,} skipped: {', '.join(groups)}" if groups else ""
