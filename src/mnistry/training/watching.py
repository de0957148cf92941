"""The accuracy that is shown every so many steps, on a part of the data or a batch of it."""

from collections.abc import Mapping

from jax.sharding import Mesh

from mnistry.data import Examples
from mnistry.data.split import Split
from mnistry.errors import InvalidValueError
from mnistry.models import Trainable
from mnistry.recipes import Recipe
from mnistry.training.devices import on_devices
from mnistry.training.folding import folded, folding_batches
from mnistry.training.progress import TrainingProgress
from mnistry.training.validation import Part


def part_to_show(progress: TrainingProgress, split: Split) -> Examples:
    """The part whose accuracy is to be shown.

    Raises:
        InvalidValueError: it is empty.
    """
    parts: Mapping[str, Examples] = {
        "validation": split.validation,
        "test": split.test,
        "train": split.train,
    }
    examples = parts[progress.accuracy_on]
    if progress.accuracy_every and not len(examples):
        raise InvalidValueError(
            f"`accuracy_on={progress.accuracy_on!r}` has nothing to measure: there are no images in the "
            f"{progress.accuracy_on} part. Give `validation` above 0, or `accuracy_on='test'`"
        )
    return examples


class ShownAccuracy:
    """Measures what `progress` asks for, and shows it there. Neither the run nor its numbers know of it."""

    def __init__(self, recipe: Recipe, split: Split, mesh: Mesh, progress: TrainingProgress) -> None:
        """
        Args:
            recipe: what is being trained.
            split: the parts of the data.
            mesh: the devices that share each batch.
            progress: says what to show, and shows it.

        Raises:
            InvalidValueError: the part that is to be measured is empty.
        """
        examples = part_to_show(progress, split)
        self._part = Part(examples, mesh, batch=progress.accuracy_images or None)
        self._seen = on_devices(folding_batches(recipe, split.train), mesh)
        self._progress = progress

    def show(self, model: Trainable, step: int) -> None:
        """Measures the model after a step that is due, and shows it."""
        for_use, progress = folded(model, self._seen), self._progress
        if progress.accuracy_images:
            accuracy, count = self._part.batch(for_use, step // progress.accuracy_every - 1)
        else:
            accuracy, count = self._part.whole(for_use)[0], len(self._part)
        progress.accuracy(step, accuracy, count)
