"""What a run leaves behind when training is over: it is handed on (`hand_on`), and told of (`tell`)."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.atomic import write_bytes, write_text
from mnistry.data import Dataset, Examples
from mnistry.data.split import Split
from mnistry.evaluation.learnt import why_nothing_learnt
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import worst_mistakes
from mnistry.evaluation.pictures import mistakes_sheet
from mnistry.evaluation.report import write_report
from mnistry.evaluation.subjects import Report
from mnistry.export.arrays import named_arrays, safetensors_bytes
from mnistry.export.without_onnx import usable
from mnistry.language import gettext
from mnistry.models import FoldedModel
from mnistry.reading.classifier import Classifier
from mnistry.runs import EVALUATION, MODEL, REPORT, TRAINABLE, WEIGHTS
from mnistry.training.command import origin
from mnistry.training.events import Events
from mnistry.training.folding import folded, folding_batches, for_use
from mnistry.training.progress import TrainingProgress
from mnistry.training.reporting import subject as run_subject
from mnistry.training.run import Run
from mnistry.training.state import State

CHECKED_IMAGES = 1000


@dataclass(frozen=True, eq=False)
class HandedOn:
    """What came of a run.

    Attributes:
        model: the trained model for use.
        classifier: `model.onnx`, which agrees with it; or, where it has no such form, the model itself.
        logits: the classifier's for the test part, float32 `[n, 10]`.
        figures: what `evaluation.json` will hold.
    """

    model: FoldedModel
    classifier: Classifier
    logits: NDArray[np.float32]
    figures: dict[str, Any]


def finish(
    run: Run, state: State, dataset: Dataset, split: Split, events: Events, progress: TrainingProgress
) -> None:
    """Writes all that a finished run has; see `mnistry.runs`.

    Raises:
        ExportError: the ONNX model does not agree with the trained one.
        OSError: the folder cannot be written to.
    """
    handed_on = hand_on(run, state, dataset, split)
    tell(run, handed_on, dataset, split, events)
    # Last, because it says that the run is finished.
    write_text(run.path / EVALUATION, json.dumps(handed_on.figures, indent=2) + "\n")
    progress.note(gettext("finished: {run}").format(run=run.path))
    if reason := handed_on.figures.get("without_onnx"):
        progress.warn(f"{run.path}: there is no model.onnx, and the model was measured with JAX: {reason}")
    if reason := handed_on.figures["nothing_learnt"]:
        progress.warn(f"{run.path}: {reason}")


def hand_on(run: Run, state: State, dataset: Dataset, split: Split) -> HandedOn:
    """Writes the weights and `model.onnx`, and measures the latter: what is handed on is what was measured.

    Where one's own model has no ONNX form, it is measured as it is, and `evaluation.json` says so.

    Raises: as `finish`.
    """
    measured = _measured(run, split)
    seen = folding_batches(run.recipe, split.train)
    model = for_use(run.recipe, state.final_model, seen)
    names = dataset.class_names
    made = usable(model, names, measured.images[:CHECKED_IMAGES], MODEL, origin(run))
    logits = made.classifier.logits(measured.images)
    write_bytes(run.path / TRAINABLE, safetensors_bytes(named_arrays(state.final_model), names))
    write_bytes(run.path / WEIGHTS, safetensors_bytes(named_arrays(model), names))
    if made.onnx is None:
        (run.path / MODEL).unlink(missing_ok=True)  # from before, when it could be written
    else:
        write_bytes(run.path / MODEL, made.onnx)
    evaluation = Evaluation.of(logits, measured.labels)
    history = run.history()
    figures: dict[str, Any] = {
        "part": run.measured_on,
        "data": run.data,
        "class_names": list(dataset.class_names),
        "steps": int(state.step),
        "train_seconds": round(next((row["seconds"] for row in history[::-1] if "seconds" in row), 0.0), 3),
        "nothing_learnt": why_nothing_learnt(evaluation, history, learning_rate=run.recipe.learning_rate),
        "onnx_largest_difference": made.difference,
        **({"without_onnx": made.why_not} if made.why_not else {}),
        **evaluation.to_json(),
    }
    if state.average is not None:
        unaveraged = usable(folded(state.model, seen), names, measured.images[:CHECKED_IMAGES], MODEL)
        plain = Evaluation.of(unaveraged.classifier.logits(measured.images), measured.labels)
        figures["plain_weights"] = {"accuracy": plain.accuracy, "correct": plain.correct, "n": plain.n}
    return HandedOn(model, made.classifier, logits, figures)


def tell(run: Run, handed_on: HandedOn, dataset: Dataset, split: Split, events: Events) -> None:
    """Shows what came of a run: `report.html`, and TensorBoard's last events.

    Raises:
        OSError: the folder cannot be written to.
    """
    measured, figures = _measured(run, split), handed_on.figures
    if run.measured_on == "test":  # those on the validation part are there already
        events.scalars({"step": figures["steps"], "test_accuracy": figures["accuracy"]})
    if (run.path / MODEL).exists():
        events.graph((run.path / MODEL).read_bytes(), figures["steps"])
    if mistakes := worst_mistakes(measured.images, measured.labels, handed_on.logits):
        sheet = mistakes_sheet(dataset.class_names, mistakes)
        events.picture("mistakes", np.asarray(sheet.convert("RGB")), figures["steps"])
    subject = run_subject(
        run,
        dataset,
        recipe=run.recipe.name,
        classifier=handed_on.classifier,
        logits=handed_on.logits,
        arrays=named_arrays(handed_on.model),
        figures=figures,
    )
    title = gettext("{name}, seed {seed}").format(name=run.recipe.name, seed=run.seed)
    write_report(run.path / REPORT, Report(title, [subject], measured, run.measured_on, dataset.class_names))


def _measured(run: Run, split: Split) -> Examples:
    return {"test": split.test, "validation": split.validation}[run.measured_on]
