"""Digits of others are learnt from beside a data set's own, where they lie, and never measured on."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistry.cli.train import main
from mnistry.data import Dataset, load
from mnistry.data.handwriting import pendigits
from mnistry.data.handwriting.packing import Sample, pack_strokes
from mnistry.errors import DataError, DataNotFoundError, InvalidValueError, RunError, UnknownNameError
from mnistry.recipes import RECIPES
from mnistry.runs import RECIPE
from mnistry.training import Run, resume, train
from mnistry.training.run import split_for
from mnistry.training.saved import SavedModels
from mnistry.training.trainer import Trainer

from .stopping import as_if_killed

FEW = RECIPES["softmax"].changed(also=("pendigits",), steps=4, log_every=2, checkpoint_every=2)


def written(folder: Path, *, bent: int = 0) -> Path:
    """A folder of data with thirty strokes for training, and six for testing, as the set pendigits."""
    samples = [
        Sample(
            [np.array([[0, 0], [10 + 3 * row + bent, 40], [row, 100]], np.float32)],
            str(row % 10),
            f"pendigits/{'test' if row >= 30 else 'train'}/{row % 3}",
        )
        for row in range(36)
    ]
    file = folder / "handwriting" / pendigits.FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(pack_strokes(samples, 255))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(FEW, data="optdigits", data_dir=folder, runs=tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("how", ["first", "random"])
def test_their_training_part_is_learnt_from_and_nothing_else_changes(
    how: str, optdigits: Dataset, folder: Path
) -> None:
    plain, more = (FEW.changed(also=also, split=how, validation=100) for also in ((), ("pendigits",)))
    without, found = (split_for(recipe, optdigits, seed=3, data_dir=folder) for recipe in (plain, more))
    others = load("pendigits", folder)
    assert (len(others.train), len(others.test)) == (30, 6)
    np.testing.assert_array_equal(
        found.train.images, np.concatenate([without.train.images, others.train.images])
    )
    np.testing.assert_array_equal(
        found.train.labels, np.concatenate([without.train.labels, others.train.labels])
    )
    np.testing.assert_array_equal(found.validation.images, without.validation.images)
    np.testing.assert_array_equal(found.test.images, without.test.images)
    assert list(found.also) == ["pendigits"]
    assert not without.also
    # Made as MNIST was: the ink in a box of 20, its centre of mass on pixel 14.
    for ink in others.train.images.astype(float):
        rows, columns = np.flatnonzero(ink.max(axis=1)), np.flatnonzero(ink.max(axis=0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        assert abs(np.average(np.arange(28), weights=ink.sum(axis=1)) - 14) <= 0.5


def test_the_recipe_learns_from_all_of_mnists_images_and_from_others() -> None:
    extra = RECIPES["extra"]
    assert extra.also == ("unipen-digits", "pendigits", "optdigits-32")
    assert "on MNIST and other handwriting" in extra.summary
    assert extra.validation == 0
    assert replace(extra.model, dropout=0.0) == RECIPES["mile"].model  # type: ignore[type-var]


def test_the_run_keeps_which_they_were_and_goes_on_to_the_same_weights(run: Run, tmp_path: Path) -> None:
    kept = json.loads((run.path / RECIPE).read_text())["data"]["also"]
    assert list(kept) == ["pendigits"]
    assert len(kept["pendigits"]) == 64
    assert run.evaluation.n == 360
    stopped = as_if_killed(run.path, tmp_path / "stopped", step=2)
    again = resume(stopped)
    for name in ("model.safetensors", "trainable.safetensors"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()
    images = load("optdigits").test.images[:5].astype(np.float32) / 255
    trainer = Trainer(FEW, data="optdigits", data_dir=run.data_dir)
    trainer.steps()
    np.testing.assert_array_equal(trainer.model(images), run.model()(images))


def test_a_run_without_them_learns_something_else(run: Run, tmp_path: Path) -> None:
    plain = train(FEW.changed(also=()), data="optdigits", runs=tmp_path)
    assert "also" not in plain.description["data"]
    assert plain.fingerprint != run.fingerprint
    assert (plain.path / "model.safetensors").read_bytes() != (run.path / "model.safetensors").read_bytes()
    assert plain.same_test_part(run)


def test_a_run_whose_digits_of_others_have_changed_is_not_gone_on_with(run: Run, tmp_path: Path) -> None:
    stopped = as_if_killed(run.path, tmp_path / "stopped", step=2)
    moved = json.loads((stopped / RECIPE).read_text())
    moved["data"]["data_dir"] = str(written(tmp_path / "other", bent=5))
    (stopped / RECIPE).write_text(json.dumps(moved))  # folders may be moved
    with pytest.raises(RunError, match=r"the digits of pendigits are not those.*Put the former files back"):
        resume(stopped)
    with pytest.raises(RunError, match="the digits of pendigits are not those"):
        SavedModels(Run.open(stopped), load("optdigits"))


def test_what_the_run_says_of_them_cannot_be_changed(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    described = json.loads((copy / RECIPE).read_text())
    described["data"]["also"]["pendigits"] = "0" * 64
    (copy / RECIPE).write_text(json.dumps(described))
    with pytest.raises(RunError, match="hashes of its data were changed"):
        Run.open(copy)
    described["data"]["also"] = ["pendigits"]
    (copy / RECIPE).write_text(json.dumps(described))
    with pytest.raises(RunError, match=r"damaged: 'data\.also' should be an object of SHA-256"):
        Run.open(copy)


def test_the_model_tells_of_them(run: Run) -> None:
    from mnistry.hub.card import model_card
    from mnistry.training.command import origin, training_command

    assert "--also pendigits " in training_command(run)
    assert origin(run)["training_data"] == "optdigits (CC BY 4.0), pendigits (CC BY 4.0)"
    card = model_card(run, "me/digits", source="optdigits", licence=None)
    told = "It learnt from other handwriting too, the training parts of pendigits (CC BY 4.0)."
    assert f"{told}\n\n## Use" in card
    assert "('pendigits',)" in (run.path / "report.html").read_text().replace("&#39;", "'")


@pytest.mark.parametrize(
    ("also", "error", "said"),
    [
        (["pendigit"], UnknownNameError, "digits by other people 'pendigit'.*Did you mean 'pendigits'"),
        (["qmnist"], UnknownNameError, "digits by other people 'qmnist'"),
        (["emnist-digits"], UnknownNameError, "digits by other people 'emnist-digits'"),
        (["unipen-letters"], UnknownNameError, "digits by other people 'unipen-letters'"),
        ("pendigits", InvalidValueError, r"`also` must be names, such as \('pendigits',\), not 'pendigits'"),
        (["usps", "usps"], InvalidValueError, "`also` must be names of which none is there twice"),
    ],
)
def test_other_names_are_refused(also: list[str] | str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        FEW.changed(also=also)


def test_a_model_of_pages_has_its_own_handwriting() -> None:
    with pytest.raises(InvalidValueError, match=r"`also=.* has no effect: it needs a model of single images"):
        RECIPES["reader"].changed(also=("pendigits",))


def test_images_that_are_measured_on_are_not_learnt_from(folder: Path, tmp_path: Path) -> None:
    said = r"pendigits: 3 of its 30 training images are in the validation part of pendigits, too"
    with pytest.raises(DataError, match=said):
        train(FEW.changed(validation=3), data="pendigits", data_dir=folder, check_images=False, runs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_are_no_digits_learn_from_none(optdigits: Dataset, folder: Path, tmp_path: Path) -> None:
    clothes = Dataset(
        "clothes", optdigits.train, optdigits.test, tuple("abcdefghij"), "made", optdigits.sha256
    )
    with pytest.raises(InvalidValueError, match=r"are digits; the classes of clothes are a, b, c, ….*Leave"):
        train(FEW, data=clothes, data_dir=folder, runs=tmp_path)


def test_where_they_lie_nowhere_every_place_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline(*_: object) -> str:
        return "cannot be reached"

    monkeypatch.setattr("mnistry.data.handwriting.fetch.get", offline)
    monkeypatch.setenv("MNISTRY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MNISTRY_DATA", raising=False)
    with pytest.raises(DataNotFoundError) as refused:
        main(["softmax", "--data", "optdigits", "--also", "pendigits", "--data-dir", str(tmp_path)])
    assert "fetching pendigits (CC BY 4.0) from https://archive.ics.uci.edu/" in capsys.readouterr().err
    said = str(refused.value)
    assert f"{tmp_path}/handwriting: lacks pendigits/digits_strokes.npz" in said
    assert "mnistry data fetch pendigits" in said
    assert not (tmp_path / "runs").exists()


def test_the_command_takes_names(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = ["--data", "optdigits", "--data-dir", str(folder), "--steps", "4"]
    assert main(["softmax", *flags, "--also", "pendigits"]) in (0, 1)
    assert Run.open(tmp_path / "runs" / "softmax-1").recipe.also == ("pendigits",)
    assert "1,347 images for training (with those of pendigits)" in capsys.readouterr().err
