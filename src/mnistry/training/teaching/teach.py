"""Teaching a reader its user's hand: `teach` → `fit` → `TeachingSteps` → `train_step`.

Each batch is half of pages cut out of the labelled pictures, half of pages that are drawn as those that the
reader learnt from at first, so that it keeps what it knew. The detector learns from the pages, and the
verifier from what is found on them.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import Array
from numpy.typing import NDArray

from mnistry.atomic import remove_leftovers, write_bytes, write_text
from mnistry.data.handwriting import find_handwriting
from mnistry.errors import DataError, InvalidValueError, RunError
from mnistry.export.detector import detector_to_onnx, with_trust
from mnistry.export.verifier import verifier_to_onnx
from mnistry.models import FoldedDetector, Reader, ReaderConfig, Trainable
from mnistry.reading.detector import Detector
from mnistry.reading.labels import Labelled, read_labels
from mnistry.reading.measure import Measured, measure
from mnistry.reading.recognizer import Recognizer
from mnistry.reading.verifier import TAUGHT, Verifier
from mnistry.recipes import RECIPES
from mnistry.runs import BEFORE, BEFORE_VERIFIER, EVALUATION, LESSONS, MODEL
from mnistry.training.checkpoint import checkpoints, save_checkpoint
from mnistry.training.devices import keep_compiled, spare_cores
from mnistry.training.loop import fit
from mnistry.training.pages.drawing import Drawing, Pages, drawing
from mnistry.training.pages.patches import PatchBatch, patch_loss, some_places_of
from mnistry.training.pages.sources import digests
from mnistry.training.pages.targets import Batch, as_deviations
from mnistry.training.pages.train import DetectorValidation, Mixed, hand_on, page_loss, train_step
from mnistry.training.pages.verifying import BATCH, require_agreement, rounded
from mnistry.training.pages.weighing import weigh
from mnistry.training.progress import TrainingProgress
from mnistry.training.record import Record
from mnistry.training.run import Run
from mnistry.training.start import state_to_resume
from mnistry.training.state import State, initial_state, starting_from
from mnistry.training.teaching.lessons import Lesson, lesson_batch, load_lessons, save_lessons
from mnistry.training.teaching.pictures import digest_of_pictures, divided, lessons_of
from mnistry.training.teaching.start import SHIPPED, Start

RECIPE = replace(
    RECIPES["reader"],
    name="teach",
    model=ReaderConfig(),
    summary="A reader that was taught its user's hand, with half of each batch drawn as before.",
    learning_rate=5e-4,
    steps=400,
    log_every=25,
    validate_every=400,
    checkpoint_every=75,
)
PICTURES = "pictures"
"""The name under which a run keeps the SHA-256 of its pictures."""
NAMED = 5
"""Pictures that a message names."""
PLACES = 128
"""Places that the verifier learns from in each step."""
PLACES_OF = 5
"""The stream of random numbers that chooses them."""
LITTLE = 0.2
"""Weight of the classifier's opinion of a hand that it was never taught, if more is read so than with the
usual one. Without any, a taught detector misread six of 111 digits by strangers, with this weight one."""


def teach(
    folder: Path | str,
    *,
    init_from: Path | str = SHIPPED,
    data_dir: Path | str | None = None,
    seed: int = 0,
    runs: Path | str = "runs",
    progress: TrainingProgress | None = None,
    **changes: Any,
) -> Run:
    """Teaches a reader a hand or a kind of paper by labelled pictures, and returns the finished run.

    Every fifth picture is kept apart, to tell in `evaluation.json` what was gained and what was lost; so is
    handwriting by others. `Recognizer.load(run.path)` reads with what came of it.

    Args:
        folder: pictures and a `labels.tsv`, see `mnistry.reading.labels.read_labels`; no boxes are needed.
        init_from: the run folder of the reader to teach; by default the shipped one.
        data_dir: where handwriting is looked for first, with which pages are drawn.
        seed: decides the pages.
        runs: the folder in which the run gets a new folder of its own.
        progress: where to show how it goes; nothing is shown without it.
        **changes: fields of the recipe to change, such as `steps=200`.

    Raises:
        MnistryError: a value, the folder, the handwriting or the run to begin with is not usable, or in no
            picture the digits of its label are found; nothing is written then.
        Interrupted: Ctrl-C or SIGTERM; the state is saved, and `mnistry.resume` goes on.
    """
    folder, progress = Path(folder), progress or TrainingProgress(silent=True)
    if not 0 <= seed < 2**32:
        raise InvalidValueError(f"`seed` must be at least 0 and below {2**32:,}, not {seed}")
    labelled = read_labels(folder)
    start = Start.load(init_from)
    recipe = replace(RECIPE, model=start.config).changed(**changes)
    if recipe.batch_size < 2:
        raise InvalidValueError("`batch_size` must be at least 2: half of the pages are drawn, not 1")
    handwriting = find_handwriting("handwriting", data_dir, say=progress.note)
    taught, held_out = divided(labelled)
    if not held_out:
        progress.warn(
            f"{folder}: {len(labelled)} pictures are too few to keep every fifth apart, so it cannot be told "
            "what is gained"
        )
    lessons, left_out = lessons_of(Detector(start.detector), taught)
    _say_left_out(progress, folder, taught, left_out)
    if not any(len(lesson.digits) for lesson in lessons):
        raise DataError(
            f"{folder}: in none of the {len(taught)} pictures the digits of its label are found, so there is "
            "nothing to learn from. What is read of them is told, and drawn on a sheet, by "
            "`mnistry evaluate-pictures`. If labels are of other pictures, mend labels.tsv; if digits are "
            "faint or touch, add plainer pictures of the same hand"
        )
    keep_compiled()
    state = starting_from(recipe, start.model, initial_state(recipe, seed).key)
    run = Run.create(
        runs,
        recipe,
        seed=seed,
        source=f"pictures in {folder}, and pages drawn with the handwriting in {handwriting}",
        sha256={**digests(handwriting), PICTURES: digest_of_pictures(folder, labelled)},
        data=handwriting,
        data_dir=data_dir,
        init_from=start.run,
        pictures=folder,
    )
    with run.locked():
        save_lessons(run.path / LESSONS.format(step=0), lessons, left_out)
        save_checkpoint(run.checkpoints, state, keep=recipe.keep_checkpoints, of=run.fingerprint)
        # Last: where it is, everything is there that the run begins with.
        write_bytes(run.path / BEFORE_VERIFIER, start.verifier)
        write_bytes(run.path / BEFORE, start.detector)
        return _teach(run, state, labelled, progress)


def resume_teaching(run: Run, progress: TrainingProgress) -> Run:
    """Goes on with teaching; see `mnistry.training.resume`.

    Raises:
        RunError: the pictures or the handwriting are not the same any more, or files of the run are missing.
    """
    folder = run.pictures
    assert folder is not None
    if not (run.path / BEFORE).exists() or not checkpoints(run.checkpoints):
        raise RunError(
            f"{run.path}: it was stopped before its first step, or lacks its checkpoints: teach anew"
        )
    if not isinstance(run.recipe.model, ReaderConfig):
        raise RunError(f"{run.path}: an earlier version of mnistry began it, without a verifier: teach anew")
    labelled = read_labels(folder)
    found = {**digests(Path(run.data)), PICTURES: digest_of_pictures(folder, labelled)}
    if changed := sorted(name for name, sha256 in run.data_sha256.items() if found.get(name) != sha256):
        place = folder if changed == [PICTURES] else run.data
        raise RunError(
            f"{run.path}: the pictures or the handwriting in {place} are not what this run was started with "
            "(the SHA-256 differs). Put the former files back, or teach anew."
        )
    keep_compiled()
    with run.locked():
        remove_leftovers(run.path)
        return _teach(run, state_to_resume(run, progress), labelled, progress)


def _teach(run: Run, state: State, labelled: Sequence[Labelled], progress: TrainingProgress) -> Run:
    recipe = run.recipe
    taught, held_out = divided(labelled)
    # Half of each batch, and one more where it has an odd number of pages.
    drawn = Pages(Path(run.data), run.data_dir, run.seed, recipe.batch_size - recipe.batch_size // 2)
    with (
        progress.over(recipe.steps),
        Record(run, from_step=int(state.step)) as record,
        drawing(drawn, spare_cores()) as batches,
    ):
        lessons, _ = load_lessons(run.path / LESSONS.format(step=0))
        progress.note(
            f"{run.path}: seed {run.seed}, from step {int(state.step):,}; {len(lessons):,} pictures to learn "
            f"from, {len(held_out):,} kept apart; half of the pages are drawn with the handwriting in "
            f"{run.data}"
        )

        def mixed(batch: Batch, number: int) -> Batch:
            return joined(batch, lesson_batch(lessons, run.seed, number, len(batch.images)))

        validation = TeachingValidation(run, mixed)
        steps = TeachingSteps(run, batches, taught, validation, progress)
        state = fit(run, steps, validation, state, progress, record)
        _finish(run, state, validation, held_out, len(taught))
        progress.note(f"finished: {run.path}")
    return run


class TeachingValidation(DetectorValidation):
    """Measures the detector, and makes both networks ready for use.

    Attributes:
        finder: the detector as it was before, which finds the places that the verifier learns from.
    """

    def __init__(self, run: Run, mixed: Mixed) -> None:
        """As of `DetectorValidation`."""
        super().__init__(run, mixed)
        self.finder = Detector.load(run.path / BEFORE)
        self._verifier = Verifier.load(run.path / BEFORE_VERIFIER)

    def folded(self, model: Trainable) -> FoldedDetector:
        """The detector for use."""
        assert isinstance(model, Reader)
        return super().folded(model.detector)

    def weights(self, onnx: Detector) -> NDArray[np.float64]:
        """How much each piece of evidence speaks for a digit, beside what the taught verifier says."""
        return weigh(onnx, self._verifier, self._batches)

    def hand_on_verifier(self, run: Run, model: Trainable) -> None:
        """Writes the verifier that was taught, which is used from now on.

        Raises:
            ExportError: its ONNX form does not agree with it.
            OSError: the folder cannot be written to.
        """
        assert isinstance(model, Reader)
        random = np.random.default_rng((run.seed, PLACES_OF))
        seen = [some_places_of(self.finder, batch, BATCH, random).images for batch in self._seen]
        folded = rounded(model.verifier.folded(as_deviations(np.stack(seen))), half=run.recipe.half_precision)
        content = verifier_to_onnx(folded)
        self._verifier = Verifier(content)
        require_agreement(folded, self._verifier, seen[0])
        write_bytes(run.path / TAUGHT, content)


class TeachingSteps:
    """Makes updates; after half of them what was learnt looks for the digits of the pictures again."""

    def __init__(
        self,
        run: Run,
        batches: Drawing,
        taught: Sequence[Labelled],
        validation: TeachingValidation,
        progress: TrainingProgress,
    ) -> None:
        self._run, self._batches, self._taught = run, batches, taught
        self._validation, self._progress = validation, progress
        self._step = jax.jit(partial(train_step, run.recipe, reader_loss), donate_argnums=0)
        self._lessons: dict[int, list[Lesson]] = {}

    def __call__(self, state: State, first: int, count: int) -> tuple[State, np.ndarray]:
        """Makes `count` updates after step `first`; returns the losses of their batches too."""
        recipe = self._run.recipe
        losses = []
        for number in range(first, first + count):
            lessons = self._lessons_of(number, state)
            pages = lesson_batch(lessons, self._run.seed, number, recipe.batch_size // 2)
            pages = joined(self._batches.batch(number), pages)
            random = np.random.default_rng((self._run.seed, number, PLACES_OF))
            places = some_places_of(self._validation.finder, pages, PLACES, random)
            state, loss = self._step(state, (pages, places))
            losses.append(loss)
        return state, np.array(losses, np.float32)

    def _lessons_of(self, number: int, state: State) -> list[Lesson]:
        """The lessons of a step; they are kept in the run's folder, so that going on finds the same."""
        half = self._run.recipe.steps // 2
        since = half if number >= half else 0
        if since not in self._lessons:
            path = self._run.path / LESSONS.format(step=since)
            if not path.exists():
                self._look_again(path, state)
            self._lessons[since] = load_lessons(path)[0]
        return self._lessons[since]

    def _look_again(self, path: Path, state: State) -> None:
        detector = Detector(detector_to_onnx(self._validation.folded(state.final_model)))
        lessons, left_out = lessons_of(detector, self._taught)
        if not any(len(lesson.digits) for lesson in lessons):  # worse than before is no reason to stop
            lessons, left_out = load_lessons(self._run.path / LESSONS.format(step=0))
        save_lessons(path, lessons, left_out)
        self._progress.note(
            f"looked again after step {int(state.step):,}: the digits of {len(lessons):,} of "
            f"{len(self._taught):,} pictures are found"
        )


def reader_loss(model: Reader, batch: tuple[Batch, PatchBatch]) -> Array:
    """The losses of both networks, float32 `[]`."""
    pages, places = batch
    return page_loss(model.detector, pages) + patch_loss(model.verifier, places)


def joined(first: Batch, second: Batch) -> Batch:
    """The pages of both."""
    batch: Batch = jax.tree.map(lambda *arrays: np.concatenate(arrays), first, second)
    return batch


def _finish(
    run: Run, state: State, validation: TeachingValidation, held_out: Sequence[Labelled], taught: int
) -> None:
    """Writes the reader, and what it reads better and worse than before; raises as `hand_on`."""
    validation.hand_on_verifier(run, state.final_model)
    after, figures = hand_on(run, state, validation)
    before = validation.finder
    kept_apart = None
    if held_out:
        content = with_trust((run.path / MODEL).read_bytes(), LITTLE)
        doubting, shipped = Detector(content), Recognizer.load()
        untaught, learnt = (
            shipped.having(Verifier.load(run.path / name)) for name in (BEFORE_VERIFIER, TAUGHT)
        )
        old = measure(untaught.having(before), held_out)
        new, other = (measure(learnt.having(one), held_out) for one in (after, doubting))
        if other.figures.exact > new.figures.exact:
            write_bytes(run.path / MODEL, content)
            after, new = doubting, other
        kept_apart = compared(old, new)
    aligned = []
    for path in sorted(run.path.glob(LESSONS.format(step="*")), key=_step_of):
        lessons, left_out = load_lessons(path)
        aligned.append(
            {"after_step": _step_of(path), "pictures": taught, "found": len(lessons), "left_out": left_out}
        )
    figures |= {
        "pages_before": validation.found(before).to_json(),
        "learnt_from": aligned,
        "pictures": str(run.pictures),
        "weight_of_second_opinion": after.trust,
        "kept_apart": kept_apart,
    }
    # Last, because it says that the run is finished.
    write_text(run.path / EVALUATION, json.dumps(figures, indent=2) + "\n")


def _step_of(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def compared(before: Measured, after: Measured) -> dict[str, Any]:
    """What two readers read of the same pictures, as JSON values: the figures of both, and what differs."""
    pairs = list(zip(before.answers, after.answers, strict=True))
    return {
        "before": _figures(before),
        "after": _figures(after),
        "gained": [new.labelled.name for old, new in pairs if new.exact and not old.exact],
        "lost": [new.labelled.name for old, new in pairs if old.exact and not new.exact],
        "answers": [{**new.to_json(), "read_before": list(old.lines)} for old, new in pairs],
    }


def _figures(measured: Measured) -> dict[str, Any]:
    kept = ("pictures", "exact", "exact_rate", "exact_interval", "characters", "character_errors")
    return {name: getattr(measured.figures, name) for name in kept}


def _say_left_out(
    progress: TrainingProgress, folder: Path, taught: Sequence[Labelled], left_out: dict[str, str]
) -> None:
    if left_out:
        some = "; ".join(f"{name}: {why}" for name, why in list(left_out.items())[:NAMED])
        more = f"; and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else ""
        progress.warn(
            f"{folder}: {len(left_out):,} of {len(taught):,} pictures are left out for now: {some}{more}"
        )
