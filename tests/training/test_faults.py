"""Every call to the system that can fail does so once, while a run is made, saved, resumed: nothing is lost.

After SQLite's tests of I/O errors and of memory that runs out. Each call counts that concerns the folder of
runs; the test makes the first fail, then the second, and so on until none is left: once alone, as a disk that
was full for a moment, and once with all that follow, as a disk that stays full.
"""

import builtins
import errno
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from mnistry.data import Dataset
from mnistry.errors import MnistryError
from mnistry.history import History
from mnistry.recipes import RECIPES
from mnistry.runs import METRICS, read_run
from mnistry.training import Run, resume, train
from mnistry.training.checkpoint import load_newest, save_checkpoint
from mnistry.training.state import State, initial_state

TINY = replace(
    RECIPES["softmax"], steps=4, log_every=1, validate_every=2, checkpoint_every=2, keep_checkpoints=1
)
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
BROKEN = OSError(errno.EIO, os.strerror(errno.EIO))
ERRORS = [
    pytest.param(FULL, False, id="full for a moment"),
    pytest.param(FULL, True, id="stays full"),
    pytest.param(BROKEN, False, id="input or output error"),
    pytest.param(MemoryError(), False, id="no memory for a moment"),
]

Fail = Callable[..., Any]


class Faults:
    """Counts calls to the system for files below a folder, and makes one fail, or it and all that follow."""

    def __init__(self, folder: Path, number: int, error: BaseException, *, lasting: bool) -> None:
        self.folder, self.number, self.error, self.lasting = str(folder), number, error, lasting
        self.calls: list[str] = []

    def count(self, what: str) -> None:
        self.calls.append(what)
        if len(self.calls) == self.number or (self.lasting and len(self.calls) > self.number):
            raise self.error

    @property
    def reached(self) -> bool:
        """Whether the call that is to fail was made."""
        return len(self.calls) >= self.number

    def concerns(self, file: Any) -> bool:
        path = Path(f"/proc/self/fd/{file}").readlink() if isinstance(file, int) else Path(file)
        return str(path.absolute()).startswith(self.folder)

    def wrapped(self, name: str, call: Fail) -> Fail:
        def wrapper(file: Any, *rest: Any, **named: Any) -> Any:
            if self.concerns(file):
                self.count(name)
            return call(file, *rest, **named)

        return wrapper

    def opened(self, call: Fail) -> Fail:
        """`open`, whose files count their writes; as the system does, half is written before one fails."""
        faults = self

        class Raw(io.FileIO):
            error: BaseException | None = None

            def write(self, data: Any) -> int:
                if self.error:
                    error, self.error = self.error, None
                    raise error
                try:
                    faults.count("write")
                except BaseException as error:
                    self.error = error
                    return super().write(bytes(data)[: len(data) // 2])
                return super().write(data)

        def opening(
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,
            opener: Any = None,
        ) -> Any:
            if not self.concerns(file):
                return call(file, mode, buffering, encoding, errors, newline, closefd, opener)
            self.count("open")
            if not set(mode) & set("wax+"):
                return call(file, mode, buffering, encoding, errors, newline, closefd, opener)
            raw = Raw(file, mode.replace("b", "").replace("t", ""), closefd, opener)
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)

        return opening

    def allocating(self, name: str, call: Fail) -> Fail:
        def wrapper(*values: Any, **named: Any) -> Any:
            self.count(name)
            return call(*values, **named)

        return wrapper


@contextmanager
def failing(folder: Path, number: int, error: BaseException, *, lasting: bool) -> Iterator[Faults]:
    faults = Faults(folder, number, error, lasting=lasting)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "replace", "unlink", "mkdir", "rmdir", "chmod", "fsync"):
            patch.setattr(os, name, faults.wrapped(name, getattr(os, name)))
        opening = faults.opened(io.open)
        patch.setattr(io, "open", opening)
        patch.setattr(builtins, "open", opening)
        patch.setattr(json, "dumps", faults.allocating("dumps", json.dumps))
        patch.setattr(safetensors.numpy, "save", faults.allocating("save", safetensors.numpy.save))
        yield faults


def each_call(
    tmp_path: Path,
    error: BaseException,
    action: Callable[[Path], object],
    *,
    lasting: bool,
    prepare: Callable[[Path], object] = Path.mkdir,
    every: int = 1,
) -> Iterator[tuple[Path, Faults]]:
    """Runs `action(folder)` in folders of its own, each time with a later call failing, until none fails."""
    number = 1
    while True:
        folder = tmp_path / str(number)
        prepare(folder)
        with failing(folder, number, error, lasting=lasting) as faults:
            try:
                action(folder)
            except (OSError, MemoryError, MnistryError):
                if not faults.reached:
                    raise
        if not faults.reached:
            return
        yield folder, faults
        shutil.rmtree(folder)
        number += every


@pytest.fixture(scope="module")
def state() -> State:
    return initial_state(TINY, 0)


def at_step(state: State, step: int) -> State:
    return replace(state, step=np.asarray(step, np.int32))


@pytest.mark.parametrize(("error", "lasting"), ERRORS)
def test_a_checkpoint_that_cannot_be_saved_leaves_the_one_before_it(
    tmp_path: Path, state: State, error: BaseException, lasting: bool
) -> None:
    good, calls = tmp_path / "good", []
    save_checkpoint(good, at_step(state, 1), keep=1, of="run")

    def action(folder: Path) -> None:
        save_checkpoint(folder, at_step(state, 2), keep=1, of="run")

    def prepare(folder: Path) -> None:
        shutil.copytree(good, folder)

    for folder, faults in each_call(tmp_path, error, action, lasting=lasting, prepare=prepare):
        calls.append(faults.calls[faults.number - 1])
        found, damaged = load_newest(folder, like=state, of="run")
        assert found is not None, faults.calls
        assert int(found.step) in (1, 2)
        assert damaged == []
    assert {"save", "open", "write", "fsync", "chmod", "replace", "unlink"} <= set(calls)


@pytest.mark.parametrize(("error", "lasting"), ERRORS)
def test_rows_that_were_logged_stay(tmp_path: Path, error: BaseException, lasting: bool) -> None:
    rows = [{"step": step, "loss": 0.5} for step in range(1, 6)]

    def action(folder: Path) -> None:
        history = History(folder / METRICS)
        for row in rows[:4]:
            history.append(row)
        history.sync()
        assert history.forget_after(2) is None
        history.append(rows[2])

    calls = []
    for folder, faults in each_call(tmp_path, error, action, lasting=lasting):
        calls.append(faults.calls[faults.number - 1])
        history = History(folder / METRICS)
        found, problem = history.read()
        before = sum(call == "dumps" for call in faults.calls[: faults.number - 1])
        if before <= 4:  # while the first four were logged: all that came before are there
            assert found in (rows[: before - 1], rows[:before])
        else:  # while the last two were dropped: the file is as before, or as it should be
            assert found in (rows[:4], rows[:2], rows[:3])
        assert problem is None
        history.forget_after(len(found))  # as the start of a resumed run does
        history.append(rows[len(found)])
        assert history.read() == (rows[: len(found) + 1], None)
    assert {"dumps", "open", "write", "fsync", "replace"} <= set(calls)


@pytest.mark.parametrize(("error", "lasting"), ERRORS)
def test_a_run_that_cannot_be_made_leaves_nothing(
    tmp_path: Path, optdigits: Dataset, error: BaseException, lasting: bool
) -> None:
    def action(folder: Path) -> None:
        Run.create(folder, TINY, seed=0, source=optdigits.source, sha256=optdigits.sha256, data="optdigits")

    calls = []
    for folder, faults in each_call(tmp_path, error, action, lasting=lasting):
        calls.append(faults.calls[faults.number - 1])
        made = list(folder.iterdir())
        if made and (made[0] / "recipe.json").exists():
            assert read_run(made[0]).seed == 0
        else:  # what a disk that stays full does not let us remove
            assert lasting or not made
    assert {"mkdir", "open", "write", "fsync", "replace"} <= set(calls)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(TINY, data="optdigits", runs=tmp_path_factory.mktemp("whole")).path


def ends_as(run: Path, whole: Path) -> None:
    """Asserts that a run that is gone on with comes to the same end."""
    resume(run)
    for name in ("trainable.safetensors", "model.safetensors", "model.onnx"):
        assert (run / name).read_bytes() == (whole / name).read_bytes()
    assert [row["step"] for row in read_run(run).history()] == [1, 2, 3, 4]
    assert read_run(run).evaluation.to_json() == read_run(whole).evaluation.to_json()
    assert not list(run.rglob(".writing-*"))


# Each takes a training and a resumed one: by default some calls, far apart.
@pytest.mark.parametrize("every", [29, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
@pytest.mark.parametrize(("error", "lasting"), ERRORS[:2])
def test_a_run_that_failed_anywhere_is_gone_on_with_to_the_same_end(
    tmp_path: Path, whole: Path, every: int, error: BaseException, lasting: bool
) -> None:
    def action(folder: Path) -> None:
        train(TINY, data="optdigits", runs=folder)

    failures = 0
    for folder, faults in each_call(tmp_path, error, action, lasting=lasting, every=every):
        failures += 1
        if (folder / "softmax-1" / "recipe.json").exists():
            ends_as(folder / "softmax-1", whole)
        else:
            assert faults.number < 12, "only where the run itself could not be made"
    assert failures * every > 100


@pytest.mark.parametrize("every", [29, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
@pytest.mark.parametrize(("error", "lasting"), ERRORS[:2])
def test_a_run_whose_resuming_failed_anywhere_is_gone_on_with_to_the_same_end(
    tmp_path: Path, whole: Path, every: int, error: BaseException, lasting: bool
) -> None:
    stopped = tmp_path / "stopped"
    shutil.copytree(whole, stopped)
    (stopped / "evaluation.json").unlink()
    with (stopped / METRICS).open("a") as file:
        file.write('{"step": 5')

    def prepare(folder: Path) -> None:
        shutil.copytree(stopped, folder)

    failures = 0
    for folder, _ in each_call(tmp_path, error, resume, lasting=lasting, prepare=prepare, every=every):
        failures += 1
        ends_as(folder, whole)
    assert failures >= 2
