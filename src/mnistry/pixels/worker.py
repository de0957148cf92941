"""The process in which pictures are decoded that might take all time or memory; see `pixels.workers`.

It is given JSON, a line for each picture, followed by the file's bytes if it has no path; and answers with a
line of JSON followed by the pixels. No pickles: a picture that gets the better of a decoder shall rule here
alone.
"""

import json
import sys
import warnings
from contextlib import suppress
from io import BytesIO
from typing import IO, Any

from PIL import Image

from mnistry import errors
from mnistry.files import open_regular
from mnistry.pixels.contents import contents
from mnistry.pixels.unpack import unpack

if sys.platform != "win32":
    import resource

Image.preinit()


def main(seconds: int, memory: int) -> None:
    """Answers until its input ends.

    Args:
        seconds: of computing for each picture; who needs more is killed by the system.
        memory: bytes of address space.
    """
    # Odd metadata make Pillow warn; they are of no interest here.
    warnings.simplefilter("ignore")
    limit_memory(memory)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    for line in requests:
        limit_seconds(seconds)
        for part in _answer(json.loads(line), requests):
            answers.write(part)
        answers.flush()


def _answer(asked: dict[str, Any], requests: IO[bytes]) -> list[bytes]:
    try:
        file = BytesIO(requests.read(asked["bytes"])) if "bytes" in asked else open_regular(asked["path"])
        with file:
            if "most_pages" in asked:
                return [_line({"contents": contents(file, asked["most_pages"]), "bytes": 0})]
            found = unpack(
                file, asked["longest_side"], asked["most_pixels"], page=asked["page"], dpi=asked["dpi"]
            )
            pixels = found.image.tobytes()
    except errors.PictureError as error:
        return [_line({"error": type(error).__name__, "text": str(error)})]
    except OSError as error:  # it was there a moment ago
        return [
            _line({"error": "PictureError", "text": f"the file cannot be read: {error.strerror or error}."})
        ]
    except MemoryError:
        return [_line({"error": "PictureSizeError", "text": "the picture takes too much memory to decode."})]
    told = {"mode": found.image.mode, "stored": found.image.size, "size": found.size, "frames": found.frames}
    told["pages"] = found.pages
    return [_line({**told, "bytes": len(pixels)}), pixels]


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def limit_memory(memory: int) -> None:
    if sys.platform != "win32":
        _limit(resource.RLIMIT_AS, memory)


def limit_seconds(seconds: int) -> None:
    if sys.platform != "win32":
        usage = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime) + 1 + seconds)


def _limit(kind: int, most: int) -> None:
    """Sets a limit that a later call may raise again; where one is set that is lower, that one stays."""
    _, hard = resource.getrlimit(kind)
    with suppress(ValueError, OSError):  # some systems know a limit by its name only
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
