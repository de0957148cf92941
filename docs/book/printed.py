"""The numbers that the old texts print, and ours for the same step of the same program over many seeds.

The programs were not seeded, so what a text prints is one draw; ours are others. A band is where one more
draw of ours falls: Student's prediction interval of the logarithms (losses and accuracies are positive, and
losses vary in proportion), as wide as it takes for all printed numbers together to be inside with a
probability of 95 % if the programs are the same. A number is rounded to the digits that it is printed with.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

DOCS = Path(__file__).parent.parent
BANDS = DOCS / "bands.json"
MISSED = 0.05  # how often one of all numbers may be outside, though all is well
ACCURACY = "accuracy"


@dataclass(frozen=True)
class Printed:
    """A number as a text prints it.

    Attributes:
        recipe: ours for the program that printed it.
        step: from 1; the loss is that of its batch before its update. Or `ACCURACY`, on the test images.
        text: with all the digits printed.
    """

    recipe: str
    step: int | str
    text: str

    @property
    def value(self) -> float:
        return float(self.text)

    @property
    def rounding(self) -> float:
        """By how much the number may be rounded: half of its last digit."""
        return 0.5 * 10.0 ** -len(self.text.partition(".")[2])

    def beyond(self, seeds: Sequence[float]) -> bool:
        """Whether it lies beyond all of these, though maybe inside the band that they make."""
        return not min(seeds) - self.rounding <= self.value <= max(seeds) + self.rounding

    def inside(self, band: tuple[float, float]) -> bool:
        low, high = band
        return low - self.rounding <= self.value <= high + self.rounding


_BATCHES_AN_EPOCH = 469  # 60,000 images, 128 a batch, the last one smaller

_FROM_SCRATCH = """
3.28 2.21 2.15 2.06 2.15
1.87 1.86 1.78 1.68 1.76
1.55 1.56 1.47 1.41 1.46
1.29 1.32 1.21 1.20 1.24
1.11 1.15 1.02 1.04 1.08
0.97 1.01 0.88 0.92 0.96
0.86 0.90 0.78 0.84 0.88
0.78 0.82 0.71 0.77 0.81
0.72 0.75 0.65 0.71 0.76
0.67 0.70 0.60 0.67 0.72
"""
"""A row for each epoch: the losses of its batches 0, 100, 200, 300 and 400."""
FEW_SEEDS = {"first-look": "–", "cnn": "0.99", "caffe-lenet": "0.9897 – 0.991"}
"""What is told of programs beside the five texts; ours were trained with too few seeds for a band."""

PRINTED = (
    Printed("softmax", ACCURACY, "0.92"),  # "about 92 %"
    Printed("softmax-sum", 10, "120.93"),
    Printed("softmax-sum", 30, "80.88"),
    Printed("softmax-sum", 50, "66.07"),
    Printed("softmax-sum", 70, "47.27"),
    Printed("softmax-sum", 90, "37.14"),
    Printed("softmax-sum", 2000, "21.75"),
    *(
        Printed("scratch", epoch * _BATCHES_AN_EPOCH + 100 * place + 1, text)
        for epoch, row in enumerate(_FROM_SCRATCH.split("\n")[1:-1])
        for place, text in enumerate(row.split())
    ),
    Printed("scratch", ACCURACY, "0.82"),
    Printed("mlp", ACCURACY, "0.98"),
)


def ours() -> dict[str, dict[str, list[float]]]:
    """By recipe and step, a value for each seed; those of long recipes are of `bench/recipes.py`."""
    found: dict[str, dict[str, list[float]]] = json.loads(BANDS.read_text())
    seeds = json.loads((DOCS.parent / "bench" / "results" / "recipes.json").read_text())
    for recipe in ("mlp", "lstm", *(name for name in FEW_SEEDS if name in seeds)):
        found[recipe] = {ACCURACY: [seed[ACCURACY] for seed in seeds[recipe].values()]}
    return found


def band(values: Sequence[float] | NDArray[np.float64], numbers: int = len(PRINTED)) -> tuple[float, float]:
    """Where one more draw falls.

    Args:
        values: of the seeds, positive.
        numbers: how many such bands hold together, with a probability of 95 %.
    """
    logs = np.log(values)
    width = (
        stats.t.ppf(1 - MISSED / numbers / 2, len(logs) - 1) * logs.std(ddof=1) * np.sqrt(1 + 1 / len(logs))
    )
    low, high = np.exp(logs.mean() + np.array([-width, width]))
    return float(low), float(high)


def bands() -> dict[Printed, tuple[float, float]]:
    """The band of each printed number."""
    values = ours()
    return {number: band(values[number.recipe][str(number.step)]) for number in PRINTED}


def require_inside(numbers: Mapping[Printed, tuple[float, float]], recipe: str | None = None) -> None:
    """Fails where a printed number has left its band.

    Raises:
        AssertionError: with each of them.
    """
    outside = [
        f"{number.recipe}, {number.step}: {number.text} is not in {low:.4g} to {high:.4g}"
        for number, (low, high) in numbers.items()
        if recipe in (None, number.recipe) and not number.inside((low, high))
    ]
    if outside:
        raise AssertionError("; ".join(outside))
