"""What a report is about: one run or several, and the images that they were measured on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import DIGITS, Examples
from mnistry.errors import InvalidValueError
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.weights import Weights
from mnistry.logits import softmax

MOST_SHOWN = 6  # keeps the file under 3 MB


@dataclass(frozen=True, eq=False)
class Subject:
    """One run in a report.

    Attributes:
        name: what the run is called, such as the name of its folder.
        recipe: what it is a run of; the runs of one recipe differ in nothing but their seed.
        seed: its seed.
        data: what its data set is called.
        facts: name and value of everything that made the run: recipe, seed, versions, times.
        history: the rows of `metrics.jsonl`. Each has `step`, and any of `loss` (of that step's batch),
            `mean_loss` (since the row before), `validation_loss`, `validation_accuracy`, `learning_rate`,
            `images_per_second`.
        logits: float[n, C], for the report's images.
        classify: the model: uint8[m, 28, 28] to float[m, C].
        weights: its first layer, where that can be drawn.

    Raises:
        InvalidValueError: a row of the history has no step.
    """

    name: str
    recipe: str
    seed: int
    data: str
    facts: Mapping[str, str]
    history: Sequence[Mapping[str, float]]
    logits: NDArray[np.floating[Any]]
    classify: Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]]
    weights: Weights | None = None

    def __post_init__(self) -> None:
        for number, row in enumerate(self.history, 1):
            if "step" not in row:
                raise InvalidValueError(
                    f"{self.name}: row {number} of the history has no step, only "
                    f"{', '.join(row) or 'nothing'}."
                )

    @cached_property
    def chances(self) -> NDArray[np.float64]:
        """The probabilities, float64[n, C]."""
        return softmax(self.logits)

    @cached_property
    def read(self) -> NDArray[np.int64]:
        """The answers, int64[n]."""
        # As in `Evaluation`, the largest logit: two logits may round to the same probability.
        read: NDArray[np.int64] = np.argmax(self.logits, axis=1)
        return read


@dataclass(frozen=True, eq=False)
class Report:
    """Runs that were measured on the same images.

    Attributes:
        title: the heading.
        subjects: the runs, at least one.
        examples: the images, at least one, with their labels.
        part: which part of the data set they are, such as `"test"`.
        class_names: one for each class.
        digits: rows of images whose occlusion maps are wanted besides the typical ones.

    Raises:
        InvalidValueError: runs, images, names and rows that do not fit each other.
    """

    title: str
    subjects: Sequence[Subject]
    examples: Examples
    part: str
    class_names: Sequence[str] = DIGITS
    digits: Sequence[int] = ()

    def __post_init__(self) -> None:
        if not self.subjects or not len(self.examples):
            raise InvalidValueError("the report is empty: it needs at least one run and one image.")
        expected = (len(self.examples), len(self.class_names))
        for subject in self.subjects:
            if subject.logits.shape != expected:
                raise InvalidValueError(
                    f"{subject.name}: expected logits of {expected[0]:,} images for the {expected[1]} names "
                    f"of classes, found {list(subject.logits.shape)}."
                )
        for row in self.digits:
            if not 0 <= row < len(self.examples):
                raise InvalidValueError(
                    f"digit must be the row of an image of the {self.part} part, 0 to "
                    f"{len(self.examples) - 1:,}, not {row}"
                )

    @cached_property
    def evaluations(self) -> dict[Subject, Evaluation]:
        """The figures of each run."""
        classes = len(self.class_names)
        return {one: Evaluation.of(one.logits, self.examples.labels, classes) for one in self.subjects}

    @cached_property
    def recipes(self) -> dict[str, list[Subject]]:
        """The runs of each recipe, in the order in which the recipes first appear."""
        recipes: dict[str, list[Subject]] = {}
        for subject in self.subjects:
            recipes.setdefault(subject.recipe, []).append(subject)
        return recipes

    @cached_property
    def shown(self) -> list[Subject]:
        """The runs to look at closely: of each recipe, that of median accuracy (the upper one of two).

        Of many recipes, the most accurate ones.
        """

        def accuracy(run: Subject) -> float:
            return self.evaluations[run].accuracy

        medians = [sorted(runs, key=accuracy)[len(runs) // 2] for runs in self.recipes.values()]
        best = sorted(medians, key=accuracy, reverse=True)[:MOST_SHOWN]
        return [run for run in medians if run in best]

    @cached_property
    def compared(self) -> list[Subject]:
        """The runs to compare in pairs: one of each recipe, or several of the only one."""
        return self.shown if len(self.recipes) > 1 else list(self.subjects[:MOST_SHOWN])
