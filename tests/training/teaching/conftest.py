"""Labelled pictures of real digits, and a small detector that is taught in place of the shipped one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnistry.data import Dataset
from mnistry.models import ReaderConfig
from mnistry.reading.detector import SHIPPED_DETECTOR
from mnistry.reading.verifier import SHIPPED_VERIFIER
from mnistry.training.pages import train as training_of_pages
from mnistry.training.teaching import teach as module
from mnistry.training.teaching.start import Start

LABELS = ("70", "16", "3", "204", "58", "9", "31", "642", "85", "1", "97", "20")


@pytest.fixture(scope="module")
def small(drawn_here: Any) -> Iterator[None]:
    """Few pages, drawn in this process; a small detector is taught."""

    def load(source: Path | str = "shipped") -> Start:
        config = ReaderConfig((4, 6, 8, 10), (6, 8, 10, 12))
        model = config.build(np.random.default_rng(0))
        return Start(None, config, model, SHIPPED_DETECTOR.read_bytes(), SHIPPED_VERIFIER.read_bytes())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_of_pages, "VALIDATION_PAGES", 8)
        patch.setattr(training_of_pages, "FOLDING_PAGES", 4)
        patch.setattr(training_of_pages, "BATCH", 4)
        patch.setattr(module, "drawing", drawn_here)
        patch.setattr(Start, "load", staticmethod(load))
        yield


@pytest.fixture(scope="package")
def pictures(mnist: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbers of one to three digits, dark on light; a file is damaged, and a label is of nothing there."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    rows = []
    for number, label in enumerate(LABELS):
        page = np.full((44, 24 + 26 * len(label)), 235, np.uint8)
        for place, digit in enumerate(label):
            image = mnist.test.images[random.choice(np.flatnonzero(mnist.test.labels == int(digit)))]
            part = page[8:36, 8 + 26 * place : 36 + 26 * place]
            part[:] = np.minimum(part, 235 - (image * 0.8).astype(np.uint8))
        Image.fromarray(page).save(folder / f"{number}.png")
        rows.append(f"{number}.png\t{label}")
    (folder / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    Image.new("L", (90, 60), 230).save(folder / "blank.png")
    table = ["file\tdigits", *rows, "damaged.png\t5", "blank.png\t12345"]
    (folder / "labels.tsv").write_text("\n".join(table) + "\n")
    return folder
