"""Whether this build runs the programs to their ends (`scripts/docs --full`) or only begins them."""

import os

FULL = os.environ.get("BOOK_RUNS") == "full"


def whole_or(whole: int, beginning: int) -> int:
    """The first in a full build, else the second."""
    return whole if FULL else beginning
