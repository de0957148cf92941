"""Files packed by Unix's old `compress`, whose names end in `.Z`."""

from mnistry.errors import DataError, DataNotFoundError


def uncompress(content: bytes, name: str) -> bytes:
    """Unpacks a file.

    Raises:
        DataNotFoundError: the library for it is not installed.
        DataError: the content is damaged.
    """
    try:
        from unlzw3 import unlzw
    except ImportError as error:
        raise DataNotFoundError(
            f"{name} was packed by Unix's `compress`; the library that unpacks it is not installed. "
            "Install it with: pip install 'mnistry[train]'"
        ) from error
    try:
        return bytes(unlzw(content))
    except (ValueError, IndexError) as error:
        raise DataError(f"{name} was not packed by Unix's `compress`, or is damaged: {error}") from error
