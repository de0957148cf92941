"""NoisyOffice: pages of print, stained, folded and wrinkled."""

import re
from pathlib import Path, PurePosixPath

from mnistry.data.handwriting.packing import grey, member, zip_file
from mnistry.data.handwriting.published import Packed

FOLDER = PurePosixPath("noisyoffice/images")
_NAME = re.compile(r"(?:.*/)?simulated_noisy_images_grayscale/(Font\w+_Noise\w+\.png)$")


def pack(archive: Path) -> Packed:
    """Takes the pages with simulated noise out of UCI's ZIP file, as they are.

    Raises:
        DataError: it is not what is published.
    """
    with zip_file(archive) as opened:
        for name in sorted(opened.namelist()):
            if found := _NAME.match(name):
                content = member(opened, name)
                grey(content, name)
                yield FOLDER / found[1], content
