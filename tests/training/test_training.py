"""The engine: deterministic, resumable to the bit, and it stops when it should."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file

from mnistry.data import Dataset
from mnistry.data.convert import write
from mnistry.errors import InvalidValueError, RunError, TrainingError
from mnistry.export.arrays import named_arrays
from mnistry.models import (
    CommitteeConfig,
    ConvNetConfig,
    FoldedModel,
    ModelConfig,
    PageConfig,
    PerceptronConfig,
    PooledNetConfig,
    SeparableNetConfig,
)
from mnistry.optimizers import moving_average
from mnistry.recipe import MODELS
from mnistry.recipes import RECIPES
from mnistry.training import Run, TrainingProgress, resume, train
from mnistry.training.checkpoint import load_newest
from mnistry.training.loop import compiled_steps, run_steps
from mnistry.training.run import split_for
from mnistry.training.start import first_state
from mnistry.training.state import initial_state, starting_from
from mnistry.training.step import train_step

from .stopping import as_if_killed

Command = Callable[..., subprocess.CompletedProcess[str]]

SMALL = replace(
    RECIPES["mlp"],
    model=PerceptronConfig(hidden=(16,), dropout=0.1),
    optimizer="adam",
    learning_rate=1e-3,
    batch_size=20,
    steps=90,
    log_every=10,
    validate_every=30,
    checkpoint_every=40,
)


one_step = jax.jit(train_step, static_argnums=0)


def weights(run: Run, name: str = "model.safetensors") -> bytes:
    return (run.path / name).read_bytes()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(SMALL, data="optdigits", seed=1, runs=tmp_path_factory.mktemp("runs"))


def test_a_run_folder_holds_everything(finished: Run) -> None:
    assert sorted(path.name for path in finished.path.iterdir()) == [
        ".lock",
        "checkpoints",
        "evaluation.json",
        "metrics.jsonl",
        "model.onnx",
        "model.safetensors",
        "recipe.json",
        "report.html",
        "tensorboard",
        "trainable.safetensors",
    ]
    assert [path.name for path in sorted(finished.checkpoints.iterdir())] == [
        f"step-000000{step}.safetensors" for step in (40, 80, 90)
    ]
    described = json.loads((finished.path / "recipe.json").read_text())
    assert described["seed"] == 1
    assert described["data"]["sha256"] == dict(finished.data_sha256)
    assert "jax" in described["versions"]
    assert Run.open(finished.path).recipe == SMALL


def test_the_rows_of_metrics(finished: Run) -> None:
    rows = finished.history()
    assert [row["step"] for row in rows] == list(range(10, 91, 10))
    assert [row["step"] for row in rows if "validation_accuracy" in row] == [30, 60, 90]
    assert rows[-1]["mean_loss"] < rows[0]["mean_loss"] * 0.9
    assert all(before["seconds"] < after["seconds"] for before, after in pairwise(rows))


def test_tensorboard_reads_the_events(finished: Run) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(finished.path / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    scalars = {"loss", "learning_rate", "validation_accuracy", "train_accuracy", "test_accuracy"}
    assert scalars <= set(tags["scalars"])
    assert [event.step for event in events.Scalars("loss")] == list(range(10, 91, 10))
    assert "weights/layers/0/weight" in tags["histograms"]
    assert tags["images"] == ["mistakes"]
    nodes = {node.name: node for node in events.Graph().node}
    assert {node.op for node in nodes.values()} >= {"Placeholder", "Const", "Gemm", "Relu"}
    assert {name.partition(":")[0] for node in nodes.values() for name in node.input} <= nodes.keys()
    (logits,) = (node for node in nodes.values() if node.op == "Identity")
    assert [size.size for size in logits.attr["_output_shapes"].list.shape[0].dim] == [-1, 10]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(finished: Run, tmp_path: Path) -> None:
    """All seeds share one compilation."""
    compiled_steps.cache_clear()
    again = train(SMALL, data="optdigits", seed=1, runs=tmp_path)
    other = train(SMALL, data="optdigits", seed=2, runs=tmp_path)
    assert compiled_steps.cache_info().misses == 1
    assert (again.seed, other.seed) == (1, 2)
    assert weights(again) == weights(finished)
    assert weights(other) != weights(finished)
    assert again.path != other.path


@pytest.mark.parametrize("step", [0, 40, 80])
def test_a_resumed_run_ends_with_the_same_bits(finished: Run, tmp_path: Path, step: int) -> None:
    copy = as_if_killed(finished.path, tmp_path / "copy", step)
    with (copy / "metrics.jsonl").open("a") as file:
        file.write('{"step": 9')  # a line that was being written
    resumed = resume(copy)
    assert weights(resumed) == weights(finished)
    assert (copy / "model.onnx").read_bytes() == (finished.path / "model.onnx").read_bytes()
    timeless = [{k: v for k, v in row.items() if "second" not in k} for row in resumed.history()]
    assert timeless == [{k: v for k, v in row.items() if "second" not in k} for row in finished.history()]


def test_how_often_python_wakes_up_does_not_change_the_weights(finished: Run, tmp_path: Path) -> None:
    run = train(
        replace(SMALL, log_every=7, validate_every=11, checkpoint_every=13),
        data="optdigits",
        seed=1,
        runs=tmp_path,
        progress=TrainingProgress(silent=True, accuracy_every=8, accuracy_on="test", accuracy_images=50),
    )
    assert weights(run) == weights(finished)


def test_a_damaged_checkpoint_is_reported_and_the_one_before_it_used(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished.path, copy)
    newest = copy / "checkpoints" / "step-00000090.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    resumed = resume(copy, progress=TrainingProgress())
    said = capsys.readouterr().err
    assert "step-00000090.safetensors: damaged" in said
    assert "from step 80" in said
    assert weights(resumed) == weights(finished)


def test_the_compiled_loop_makes_the_steps_that_train_step_makes(optdigits: Dataset) -> None:
    recipe = replace(SMALL, steps=3)
    state = initial_state(recipe, 0)
    rows = np.arange(60, dtype=np.int32).reshape(3, 20)
    images, labels = optdigits.train.images, optdigits.train.labels
    looped, losses = jax.jit(run_steps, static_argnums=0)(recipe, state, images, labels, rows, 3)
    for index, batch in enumerate(rows):
        x = images[batch].astype(np.float32) / 255
        previous = state
        state, loss = one_step(recipe, state, x, labels[batch].astype(np.int32), np.ones(20, bool))
        assert float(loss) == pytest.approx(float(losses[index]), rel=1e-5)
        expected = moving_average(previous.average, state.model, state.step, recipe.averaging)
        for a, b in zip(jax.tree.leaves(state.average), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    for a, b in zip(jax.tree.leaves(looped.model), jax.tree.leaves(state.model), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_places_without_an_example_count_for_nothing(optdigits: Dataset) -> None:
    """A batch of five in ten places is a batch of five, for the mean and for the sum."""
    images = optdigits.train.images[:10].astype(np.float32) / 255
    labels = optdigits.train.labels[:10].astype(np.int32)
    present = np.arange(10) < 5
    for reduction in ("mean", "sum"):
        recipe = replace(RECIPES["softmax"], reduction=reduction)
        state = initial_state(recipe, 0)
        padded, padded_loss = one_step(recipe, state, images, labels, present)
        plain, loss = one_step(recipe, state, images[:5], labels[:5], np.ones(5, bool))
        assert float(padded_loss) == pytest.approx(float(loss))
        np.testing.assert_allclose(padded.model.output.weight, plain.model.output.weight, atol=1e-7)  # type: ignore[attr-defined]


# Small kernels, because each of their places is a product that the compiler sees.
SMALL_NET = ConvNetConfig(features=(3, 4), sizes=(3, 2), strides=(3, 2), dropout=0.1)
SMALL_SEPARABLE = SeparableNetConfig(features=(4, 5), upright=True)


# Without dropout: what is dropped depends on the shape of the batch.
@pytest.mark.parametrize("model", [replace(SMALL_NET, dropout=0.0), SMALL_SEPARABLE], ids=type)
def test_a_short_batch_is_normalised_by_its_own_images(optdigits: Dataset, model: ModelConfig) -> None:
    """In the order of the file, the last batch of an epoch is short; its missing places repeat an image."""
    recipe = replace(RECIPES["dash"], model=model, augmentation="none", order="file", batch_size=10)
    state = initial_state(recipe, 0)
    images = optdigits.train.images.astype(np.float32) / 255
    labels = optdigits.train.labels.astype(np.int32)
    rows, present = np.array([0, 1, 2, 3, -1, -1, -1, -1, -1, -1]), np.arange(10) < 4
    padded, padded_loss = one_step(recipe, state, images[rows], labels[rows], present)
    plain, loss = one_step(recipe, state, images[:4], labels[:4], np.ones(4, bool))
    assert float(padded_loss) == pytest.approx(float(loss), rel=1e-4)
    for a, b in zip(jax.tree.leaves(padded.model), jax.tree.leaves(plain.model), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_each_member_of_a_committee_learns_as_if_it_were_alone(optdigits: Dataset, reduction: str) -> None:
    """Under SGD, too, which does not make up for a gradient that is too small."""
    member = replace(SMALL_NET, dropout=0.0)
    alone = replace(RECIPES["softmax"], model=member, learning_rate=0.1, l2_penalty=1e-2, reduction=reduction)
    together = replace(alone, model=CommitteeConfig((member, member)))
    images = optdigits.train.images[:20].astype(np.float32) / 255
    labels = optdigits.train.labels[:20].astype(np.int32)
    state = initial_state(together, 0)
    after, loss = one_step(together, state, images, labels, np.ones(20, bool))
    losses = []
    for place in (0, 1):
        own = starting_from(alone, state.model.members[place], state.key)  # type: ignore[attr-defined]
        own, own_loss = one_step(alone, own, images[place::2], labels[place::2], np.ones(10, bool))
        losses.append(float(own_loss))
        found = after.model.members[place]  # type: ignore[attr-defined]
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(own.model), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    # The penalty of both members is in the sum; of each, its own is in its loss.
    assert float(loss) == pytest.approx(np.mean(losses), rel=1e-5)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"loss is not finite at step \d+, with the learning rate 1e\+20"):
        train(
            "softmax",
            data="optdigits",
            learning_rate=1e20,
            loss="squared-error",
            reduction="sum",
            l2_penalty=1.0,
            runs=tmp_path,
            checkpoint_every=1,
            log_every=5,
        )
    kept = sorted((tmp_path / "softmax-1" / "checkpoints").iterdir())
    assert kept
    import safetensors.numpy

    assert all(
        np.isfinite(a).all() for path in kept for a in safetensors.numpy.load(path.read_bytes()).values()
    )


# Whole, these take the compiler long, so by default they have small nets, or differ from another recipe in
# numbers only (caffe-lenet from cnn). What reader does to images is looked at in tests/training/augment.
SLOW = ("caffe-lenet", "classifier", "cnn", "committee", "dash", "mile", "tiny")
SMALLER = [
    replace(RECIPES["cnn"], model=PooledNetConfig(features=(3, 4), sizes=(3, 2), pools=(2, 1), dense=(8,))),
    replace(RECIPES["dash"], model=SMALL_NET),
    replace(RECIPES["committee"], model=CommitteeConfig((SMALL_NET, replace(SMALL_NET, features=(4, 5))))),
    replace(RECIPES["tiny"], model=SMALL_SEPARABLE),
    replace(
        RECIPES["marathon"], model=ConvNetConfig((3, 4, 4), (3, 2, 3), (3, 2, 1), residual=(2,), views=5)
    ),
]
# The recipe for a GPU takes half a minute for three steps; marathon is among the smaller ones; extra differs
# from mile in numbers and in its data; what reads pages has tests of its own.
WHOLE = [
    recipe
    for name, recipe in RECIPES.items()
    if name not in ("record", "marathon", "extra", "reader", "verifier")
]
EACH = [
    *(
        pytest.param(recipe, id=recipe.name, marks=pytest.mark.slow if recipe.name in SLOW else ())
        for recipe in WHOLE
    ),
    *(pytest.param(recipe, id=f"small {recipe.name}") for recipe in SMALLER),
]


def test_every_family_is_here() -> None:
    # What reads pages is trained on pages; see tests/training/pages.
    by_default = [*SMALLER, *(recipe for recipe in WHOLE if recipe.name not in SLOW)]
    assert {type(recipe.model) for recipe in by_default} == set(MODELS.values()) - set(get_args(PageConfig))


@pytest.fixture(scope="module", params=EACH)
def of_a_recipe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short run of small batches, whose weights for use are rounded."""
    recipe = replace(request.param, steps=3, batch_size=16, half_precision=True)
    return train(recipe, data="optdigits", runs=tmp_path_factory.mktemp("runs"))


def test_every_recipe_trains_a_few_steps(of_a_recipe: Run) -> None:
    figures = of_a_recipe.figures
    assert figures["n"] == 360
    assert figures["onnx_largest_difference"] < 1e-2
    assert ("plain_weights" in figures) == (of_a_recipe.recipe.averaging > 0)
    assert list((of_a_recipe.path / "tensorboard").iterdir())


def test_training_goes_on_from_the_very_weights_that_another_run_had_at_its_end(
    of_a_recipe: Run, optdigits: Dataset
) -> None:
    recipe = of_a_recipe.recipe
    last, damaged = load_newest(
        of_a_recipe.checkpoints, like=initial_state(recipe, 0), of=of_a_recipe.fingerprint
    )
    assert last
    assert not damaged
    started = first_state(recipe, 7, of_a_recipe.path)
    images, key = optdigits.train.images[:12].astype(np.float32) / 255, jax.random.key(0)
    logits = jax.jit(lambda model: model(images, key))
    np.testing.assert_array_equal(logits(started.model), logits(last.final_model))
    assert jax.tree.structure(started) == jax.tree.structure(last)
    assert int(started.step) == 0


def test_a_run_that_kept_no_trainable_weights_is_gone_on_from_where_its_weights_for_use_are_the_same(
    of_a_recipe: Run, tmp_path: Path
) -> None:
    """Runs of earlier versions have only the folded ones."""
    copy = tmp_path / "copy"
    shutil.copytree(of_a_recipe.path, copy)
    (copy / "trainable.safetensors").unlink()
    if isinstance(initial_state(of_a_recipe.recipe, 0).model, FoldedModel):
        started = first_state(of_a_recipe.recipe, 7, copy)
        expected = load_file(copy / "model.safetensors")
        for name, array in named_arrays(started.model).items():
            np.testing.assert_array_equal(array, expected[name])
    else:
        again = f"Train the recipe {of_a_recipe.recipe.name} again"
        with pytest.raises(RunError, match=rf"trainable\.safetensors: missing.*{again}"):
            first_state(of_a_recipe.recipe, 7, copy)


def test_training_goes_on_from_another_runs_weights(finished: Run, tmp_path: Path) -> None:
    start = train(
        SMALL,
        data="optdigits",
        steps=1,
        learning_rate=1e-9,
        averaging=0.0,
        init_from=finished.path,
        runs=tmp_path,
    )
    for a, b in zip(jax.tree.leaves(start.model()), jax.tree.leaves(finished.model()), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    with pytest.raises(RunError, match="weights are of another model"):
        train("softmax", data="optdigits", steps=1, init_from=finished.path, runs=tmp_path)
    with pytest.raises(RunError, match="no such run folder"):
        train("softmax", data="optdigits", steps=1, init_from=tmp_path / "nowhere", runs=tmp_path)
    assert not list(tmp_path.glob("softmax-*")), "a refused run left a folder behind"


def test_half_precision_rounds_the_finished_weights_and_halves_the_model(
    finished: Run, tmp_path: Path
) -> None:
    half = train(replace(SMALL, half_precision=True), data="optdigits", seed=1, runs=tmp_path)
    found, trained = (load_file(run.path / "model.safetensors") for run in (half, finished))
    assert weights(half, "trainable.safetensors") == weights(finished, "trainable.safetensors")
    for name, array in trained.items():
        np.testing.assert_array_equal(found[name], array.astype(np.float16))
        assert found[name].dtype == np.float32
    size, whole = ((run.path / "model.onnx").stat().st_size for run in (half, finished))
    assert whole - size > 1.9 * sum(array.size for array in trained.values() if array.ndim > 1)
    assert half.evaluation.accuracy == pytest.approx(finished.evaluation.accuracy, abs=0.01)


def test_a_short_last_row_of_metrics_and_epochs(tmp_path: Path) -> None:
    run = train("softmax", data="optdigits", epochs=2, batch_size=100, runs=tmp_path)
    assert run.recipe.steps == 2 * 14  # 1,317 examples for training
    with pytest.raises(InvalidValueError, match="`epochs` must be above 0"):
        train("softmax", data="optdigits", epochs=0, runs=tmp_path)


def test_two_devices_compute_what_one_does(
    tmp_path: Path, mnistry_process: Command, digits_folder: Path
) -> None:
    """Two in a process of their own, because a CPU is divided before JAX is first used."""
    done = mnistry_process("train", "mlp", "--data", digits_folder, "--steps", 20, "--devices", 2, "--json")
    assert done.returncode == 0, done.stderr
    assert "devices that were asked for" not in done.stderr
    two = Run.open(tmp_path / json.loads(done.stdout)["run"]).model()
    one = train("mlp", data=digits_folder, steps=20, devices=1, runs=tmp_path).model()
    for a, b in zip(*map(jax.tree.leaves, (one, two)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_a_data_set_that_changed_is_refused(optdigits: Dataset, tmp_path: Path) -> None:
    write(optdigits, tmp_path / "digits", "idx")
    run = train("softmax", data=tmp_path / "digits", steps=5, runs=tmp_path)
    fewer = replace(optdigits, train=optdigits.train[:-1])
    shutil.rmtree(tmp_path / "digits")
    write(fewer, tmp_path / "digits", "idx")
    with pytest.raises(RunError, match="is not the one that this run was started with"):
        resume(run.path)


def test_a_split_by_writer_trains(mnist: Dataset, tmp_path: Path) -> None:
    run = train("softmax", steps=5, split="writer", validation=6000, runs=tmp_path)
    parts = split_for(run.recipe, mnist, seed=run.seed, data_dir=None)
    assert 6000 <= len(parts.validation) < 6600
    assert len(parts.train) + len(parts.validation) == 60_000
