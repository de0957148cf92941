"""The commands as processes: what they print, what they write, and how they fail."""

import gc
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import onnx
import pytest
from PIL import Image
from safetensors import safe_open

from mnistry.cli import main
from mnistry.data import Dataset
from mnistry.reading.recognizer import Recognizer

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]
COMMANDS = (
    "train",
    "evaluate",
    "compare",
    "read",
    "prepare",
    "evaluate-pictures",
    "export",
    "recipes",
    "bench",
    "report",
    "runs",
    "teach",
    "serve",
    "label",
    "data",
)
SHORT = ("--data", "optdigits", "--steps", "60")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, made by the library; each test of a command starts from it."""
    from mnistry.training import train

    return train("softmax", data="optdigits", steps=300, runs=tmp_path_factory.mktemp("runs")).path


def test_garbage_is_collected_again_after_the_imports() -> None:
    assert main(["recipes"]) == 0
    assert gc.isenabled()


def test_numpy_keeps_no_second_core_from_what_is_trained() -> None:
    code = (
        "from mnistry.cli import main; main(['--version']);"
        "import numpy, threadpoolctl;"
        "print([pool['num_threads'] for pool in threadpoolctl.threadpool_info()])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == "[1]"


def test_help_answers_at_once(mnistry_process: Command) -> None:
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = mnistry_process("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Of a processor, which other programs do not take away.
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout
    assert min(seconds) < 0.25


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(mnistry: Command, command: str) -> None:
    done = mnistry(command, "--help")
    assert done.returncode == 0
    assert "usage: mnistry" in done.stdout


def test_every_field_of_a_recipe_is_a_flag(mnistry: Command) -> None:
    said = mnistry("train", "mlp", "--help").stdout
    for flag in (
        "--learning-rate",
        "--model.hidden",
        "--batch-size",
        "--l2-penalty",
        "--averaging",
        "--seeds",
    ):
        assert flag in said
    assert "--recipe" not in said
    assert "--reaches" not in said


def test_train_prints_one_object_and_all_else_elsewhere(mnistry_process: Command, tmp_path: Path) -> None:
    accuracy = ("--accuracy-every", 30, "--accuracy-on", "test", "--accuracy-images", 200)
    done = mnistry_process(
        "train", "softmax", *SHORT, "--batch-size", 50, "--print-every", 20, *accuracy, "--json"
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) == {"run", "recipe", "seed", "steps", "train_seconds", "test", "nothing_learnt"}
    assert result["nothing_learnt"] is None
    assert (result["recipe"], result["seed"], result["steps"]) == ("softmax", 0, 60)
    test = result["test"]
    assert test["accuracy"] == test["correct"] / test["n"] > 0.7
    assert test["n"] == 360
    recipe = json.loads((tmp_path / result["run"] / "recipe.json").read_text())["recipe"]
    assert recipe["batch_size"] == 50
    assert "120 for validation (the first of the training images), 360 for the test" in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith(("step ", "epoch"))]
    rows, printed = ([line for line in said if ("/60  " in line) == row] for row in (True, False))
    assert [line.partition(":")[0] for line in printed] == [
        *("epoch 1 of 3", "step 1", "step 20"),
        *("epoch 2 of 3", "step 30", "step 40"),
        *("epoch 3 of 3", "step 60", "step 60"),
    ]
    assert printed[1] == "step 1: loss 2.30259"
    assert [line.partition(" on ")[2] for line in printed if "accuracy" in line] == [
        "a batch of 200 test images",
        "a batch of 160 test images",
    ]
    assert rows[-1].startswith("step 60/60")
    assert "mean loss" in rows[-1]
    assert "validation accuracy" in rows[-1]


def test_a_run_that_learnt_nothing_says_so_and_ends_with_status_1(mnistry: Command, tmp_path: Path) -> None:
    done = mnistry("train", "mlp-deep", "--data", "optdigits", "--steps", 100, "--learning-rate", 10)
    assert done.returncode == 1
    assert "nothing was learnt: the test accuracy" in done.stderr
    assert "the learning rate 10 is probably too large" in done.stderr
    (listed,) = json.loads(mnistry("runs", "--json").stdout)["runs"]
    assert listed["nothing_learnt"] in done.stderr
    assert "nothing learnt" in mnistry("runs").stdout


def test_train_says_where_the_data_came_from(mnistry: Command) -> None:
    assert "scikit-learn" in mnistry("train", "softmax", *SHORT).stderr


def test_several_seeds_give_mean_and_deviation(mnistry: Command) -> None:
    done = mnistry("train", "softmax", *SHORT, "--seeds", 3, "--seed", 5, "--json")
    result = json.loads(done.stdout)
    accuracies = [run["test"]["accuracy"] for run in result["runs"]]
    assert result["seeds"] == [5, 6, 7]
    assert len({run["run"] for run in result["runs"]}) == 3
    assert result["test"]["accuracy"] == pytest.approx(sum(accuracies) / 3)
    assert result["test"]["sd"] > 0
    assert "mean ± sd over 2 seeds" in mnistry("train", "softmax", *SHORT, "--seeds", 2).stdout


def test_a_folder_of_pictures_of_three_classes_of_ones_own(
    mnistry: Command, tmp_path: Path, optdigits: Dataset, refused: Refused
) -> None:
    for label, name in enumerate(("pear", "apple & <fig>", "plum")):
        (tmp_path / "fruit" / name).mkdir(parents=True)
        for index, image in enumerate(optdigits.train.images[optdigits.train.labels == label][:40]):
            Image.fromarray(image).save(tmp_path / "fruit" / name / f"{index}.png")
    done = mnistry("train", "softmax", "--data", "fruit", "--steps", 60, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["test"]["n"] == 120 // 7
    assert result["test"]["accuracy"] > 0.9
    assert "apple &amp; &lt;fig&gt;" in (tmp_path / result["run"] / "report.html").read_text()
    assert "plum" in mnistry("evaluate", result["run"]).stdout
    names = ["apple & <fig>", "pear", "plum", *["(none)"] * 7]
    # Other folders, in which the same names have other labels.
    shutil.copytree(tmp_path / "fruit" / "plum", tmp_path / "fewer" / "plum")
    shutil.copytree(tmp_path / "fruit" / "pear", tmp_path / "fewer" / "pear")
    done = mnistry("evaluate", result["run"], "--data", "fewer", "--part", "all", "--json")
    answer = json.loads(done.stdout)
    assert answer["accuracy"] > 0.9
    assert answer["class_names"] == names
    assert np.sum(answer["confusion"], axis=1).tolist()[:3] == [0, 40, 40]
    shutil.copytree(tmp_path / "fruit" / "plum", tmp_path / "fewer" / "cherry")
    done = mnistry("evaluate", result["run"], "--data", "fewer")
    refused(done, "the model's classes are apple & <fig>, pear, plum; the images have others: cherry")
    done = mnistry("evaluate", result["run"], "--data", "optdigits", "--json")
    assert "only the model's classes have names" in done.stderr
    for to in ("onnx", "safetensors", "npz"):
        assert mnistry("export", result["run"], "--to", to, "--output", f"fruit.{to}").returncode == 0
    kept = onnx.load(tmp_path / "fruit.onnx").metadata_props
    assert json.loads({entry.key: entry.value for entry in kept}["class_names"]) == names
    with safe_open(tmp_path / "fruit.safetensors", "numpy") as file:
        assert json.loads(file.metadata()["class_names"]) == names
    with np.load(tmp_path / "fruit.npz") as arrays:
        assert arrays["class_names"].tolist() == names
    pear = optdigits.test.images[optdigits.test.labels == 0][0]
    Image.fromarray(255 - np.pad(pear, 30)).save(tmp_path / "one.png")
    for model in (result["run"], "fruit.onnx"):
        done = mnistry("read", "one.png", "--model", model, "--json")
        (digit,) = json.loads(done.stdout)["digits"]
        assert json.loads(done.stdout)["lines"] == ["pear"]
        assert (digit["digit"], digit["name"]) == (1, "pear")


def test_resume_of_a_finished_run_says_its_figures(mnistry: Command, run: Path) -> None:
    done = mnistry("train", "--resume", run, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["test"]["n"] == 360


def test_evaluate_as_json_as_a_table_and_as_pictures(mnistry: Command, run: Path, tmp_path: Path) -> None:
    result = json.loads(mnistry("evaluate", run, "--json").stdout)
    saved = json.loads((run / "evaluation.json").read_text())
    for key in (
        "accuracy",
        "correct",
        "n",
        "confusion",
        "wilson_95",
        "macro",
        "per_class",
        "calibration_error",
    ):
        assert result[key] == saved[key]
    done = mnistry("evaluate", run, "--part", "train", "--pictures", tmp_path / "pictures")
    assert done.returncode == 0, done.stderr
    assert "precision" in done.stdout
    assert {"confusion.png", "reliability.svg"} <= {path.name for path in (tmp_path / "pictures").iterdir()}
    sizes = {
        part: json.loads(mnistry("evaluate", run, "--part", part, "--json").stdout)["n"]
        for part in ("train", "validation", "test", "all")
    }
    assert sizes == {"train": 1317, "validation": 120, "test": 360, "all": 1797}


def test_compare_two_runs(mnistry: Command, run: Path) -> None:
    other = json.loads(mnistry("train", "softmax", *SHORT, "--json").stdout)["run"]
    done = mnistry("compare", run, other, "--json")
    result = json.loads(done.stdout)
    assert [item["run"] for item in result["runs"]] == [str(run), other]
    correct = [item["correct"] for item in result["runs"]]
    test = result["mcnemar"]
    assert test["only_first"] - test["only_second"] == correct[0] - correct[1]
    assert 0 <= test["p_value"] <= 1
    assert "McNemar" in mnistry("compare", run, other).stdout


@pytest.mark.parametrize("to", ["onnx", "safetensors", "npz"])
def test_export(mnistry: Command, run: Path, tmp_path: Path, to: str) -> None:
    done = mnistry("export", run, "--to", to)
    assert done.returncode == 0, done.stderr
    assert "logits differ by at most" in done.stdout
    assert (tmp_path / f"softmax-1.{to}").stat().st_size > 30_000
    if to == "onnx":
        Recognizer.load(tmp_path / "softmax-1.onnx")


def test_wrong_names_are_answered_with_the_nearest(mnistry: Command, refused: Refused) -> None:
    refused(mnistry("trian"), "Did you mean 'train'")
    refused(mnistry("train", "sofmax"), "no recipe 'sofmax'", "Did you mean 'softmax'")
    refused(mnistry("train", "softmax", "--data", "mnits"), "mnits", "Did you mean 'mnist'")


@pytest.mark.parametrize(
    ("recipe", "flags", "said"),
    [
        ("softmax", "--lr 0.1", "there is no flag --lr. Did you mean --learning-rate?"),
        ("softmax", "--learning-rat=0.1", "Did you mean --learning-rate?"),
        ("mlp", "--hidden 300 100", "there is no flag --hidden. Did you mean --model.hidden?"),
        ("softmax", "--loss mse", "there is no loss 'mse'. Did you mean 'squared-error'?"),
        ("softmax", "--optimizer=adamw", "there is no optimizer 'adamw'. Did you mean 'adam'?"),
        ("softmax", "--schedule cosin", "there is no schedule 'cosin'. Did you mean 'cosine'?"),
        ("mlp", "--model.initialization He", "Did you mean 'he'?"),
        ("softmax", "--momentum 0.99", "--momentum 0.99 has no effect: it needs --optimizer momentum"),
        ("softmax", "--momentum 0.9", "--momentum 0.9 has no effect"),
        ("softmax", "--shift 4", "--shift 4.0 has no effect: it needs --augmentation affine"),
        ("softmax", "--decay-rate 0.5", "--decay-rate 0.5 has no effect: it needs --schedule staircase"),
        ("softmax", "--epochs 1 --steps 1000", "--epochs 1.0 and --steps 1000 both say how long to train"),
    ],
)
def test_flags_that_are_unknown_or_would_have_no_effect_say_what_is_meant(
    mnistry: Command, tmp_path: Path, refused: Refused, recipe: str, flags: str, said: str
) -> None:
    refused(mnistry("train", recipe, "--data", "optdigits", *flags.split()), said)
    assert not list(tmp_path.iterdir()), "no run was begun"


def test_values_out_of_range(mnistry: Command, refused: Refused) -> None:
    refused(mnistry("train", "softmax", *SHORT, "--batch-size", 0), "--batch-size must be at least 1, not 0")
    refused(mnistry("train", "softmax", *SHORT, "--seeds", 0), "--seeds must be at least 1")
    refused(mnistry("train", "softmax", *SHORT, "--seed", -1), "--seed must be at least 0")
    refused(mnistry("train", "softmax", *SHORT, "--validation", 5000), "validation")
    done = mnistry("train", "softmax", "--steps", "many")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_data_file_of_the_wrong_kind(mnistry: Command, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "digits.npz").write_text("no archive")
    refused(mnistry("train", "softmax", "--data", tmp_path / "digits.npz"), "digits.npz")
    folder = tmp_path / "mnist"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte").write_bytes(b"not idx")
    for name in ("train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (folder / name).write_bytes(b"")
    refused(mnistry("train", "softmax", "--data-dir", tmp_path), "train-images-idx3-ubyte")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("missing", ["recipe.json", "model.onnx"])
def test_a_run_folder_that_lacks_files(
    mnistry: Command, tmp_path: Path, run: Path, missing: str, refused: Refused
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / missing).unlink()
    refused(mnistry("evaluate", copy), missing)
    refused(mnistry("evaluate", tmp_path / "nowhere"), "nowhere", "no such run folder")
    (copy / "recipe.json").write_text("{")
    refused(mnistry("export", copy, "--to", "npz"), "recipe.json: damaged")


def test_a_full_disk(tmp_path: Path) -> None:
    """A run that may write no more than 20 kB a file: its 31 kB checkpoint does not fit."""
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        f"from mnistry.cli import main; sys.exit(main({['train', 'softmax', *SHORT]}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "runs" / "softmax-1" / "checkpoints").iterdir()) == []


def test_a_folder_that_cannot_be_written_to(
    mnistry: Command, tmp_path: Path, run: Path, refused: Refused
) -> None:
    # The superuser may write to any folder of a disk, but not to the kernel's.
    folder = Path("/sys/kernel") if os.geteuid() == 0 else tmp_path / "locked"
    if os.geteuid() != 0:
        folder.mkdir(mode=0o555)
    done = mnistry("train", "softmax", *SHORT, "--runs", folder / "runs")
    refused(done, str(folder))
    refused(mnistry("export", run, "--to", "npz", "--output", folder / "model.npz"), str(folder))


def test_one_class_can_be_measured_but_not_learnt(
    mnistry: Command, run: Path, optdigits: Dataset, tmp_path: Path, refused: Refused
) -> None:
    sevens = optdigits.train.images[optdigits.train.labels == 7][:14]
    np.savez(tmp_path / "sevens.npz", images=sevens, labels=np.full(len(sevens), 7))
    refused(
        mnistry("train", "softmax", "--data", "sevens.npz"), "two classes or more", "all 11 have the label 7"
    )
    assert not (tmp_path / "runs").exists()
    done = mnistry("evaluate", run, "--data", "sevens.npz", "--part", "all", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n"] == 14
