"""What turns values into HTML and SVG: the templates beside this file, which escape every text."""

import base64
import io
import re
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnistry.atomic import write_bytes
from mnistry.data.fetch import cache_folder
from mnistry.language import gettext, ngettext

if TYPE_CHECKING:
    from jinja2 import Environment
    from PIL.Image import Image

_POSITIVE, _NEGATIVE = (74, 108, 247), (232, 89, 12)
_LEVELS = 15  # of each colour: few make small files, and more would not be told apart
# Characters that no XML may hold, and halves of such as UTF-16 needs two for.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def rendered(template: str, **values: Any) -> bytes:
    """A template of this package filled in, as UTF-8.

    Args:
        template: its file name.
        values: what it names; one that is missing is an error.
    """
    text = _environment().get_template(template).render(values)
    return _UNWRITABLE.sub("\ufffd", text.strip() + "\n").encode()


def style_sheet(*names: str) -> str:
    """The style sheets of those names, one after the other."""
    folder = files("mnistry.evaluation") / "templates"
    return "".join((folder / name).read_text("utf-8") for name in names)


def image_url(pixels: NDArray[np.uint8]) -> str:
    """A picture, uint8[h, w], grey, as a URL that holds all of it."""
    from PIL.Image import fromarray

    return _url(fromarray(np.ascontiguousarray(pixels)))


def signed_url(values: NDArray[np.floating[Any]], scale: float) -> str:
    """Values around 0 as a URL of a picture: blue above, orange below, clear at 0.

    Args:
        values: float[h, w].
        scale: the absolute value from which on the colour is full.
    """
    from PIL.Image import fromarray

    levels = np.clip(np.round(values / scale * _LEVELS), -_LEVELS, _LEVELS).astype(np.int64) + _LEVELS
    image = fromarray(levels.astype(np.uint8)).convert("P")
    image.putpalette([*_NEGATIVE * _LEVELS, *_POSITIVE * (_LEVELS + 1)], "RGB")
    opacity = bytes(round(255 * abs(level) / _LEVELS) for level in range(-_LEVELS, _LEVELS + 1))
    return _url(image, transparency=opacity)


def _url(image: "Image", **options: Any) -> str:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


@cache
def _environment() -> "Environment":
    from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
    from jinja2.bccache import Bucket

    class Kept(BytecodeCache):
        """Compiled templates are kept where compiled models are; without them, all is only slower."""

        def load_bytecode(self, bucket: Bucket) -> None:
            with suppress(OSError):
                bucket.bytecode_from_string((cache_folder() / "templates" / bucket.key).read_bytes())

        def dump_bytecode(self, bucket: Bucket) -> None:
            with suppress(OSError):
                (cache_folder() / "templates").mkdir(parents=True, exist_ok=True)
                write_bytes(cache_folder() / "templates" / bucket.key, bucket.bytecode_to_string())

    environment = Environment(
        loader=PackageLoader("mnistry.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        bytecode_cache=Kept(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["to"] = format
    environment.globals.update(
        image_url=image_url, signed_url=signed_url, zip=zip, gettext=gettext, ngettext=ngettext
    )
    return environment
