"""The library is built where there is a compiler, chosen by the environment, and done without if need be."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mnistry.cli import main
from mnistry.native import library as module
from mnistry.native.build import build
from mnistry.native.library import SETS, VARIABLE, library


def test_the_kernels_were_built_here_and_the_version_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.splitlines()[1] in {f"compiled kernels: {name}" for name in SETS}


def test_the_environment_switches_them_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "none")
    assert library().handlers is None
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.endswith("compiled kernels: none, as MNISTRY_KERNELS says\n")
    monkeypatch.setenv(VARIABLE, "axv2")
    assert main(["--version"]) == 2
    assert "no value of MNISTRY_KERNELS 'axv2'. Did you mean 'avx2'?" in capsys.readouterr().err


def test_without_a_library_or_with_a_damaged_one_there_are_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "PATH", tmp_path / "kernels.so")
    monkeypatch.setattr(module, "_loaded", lambda: ctypes.CDLL(str(module.PATH)))
    assert library() == (None, "none were built: there was no C++ compiler")
    module.PATH.write_bytes(b"\x7fELF")
    assert library().handlers is None
    assert "kernels.so" in library().said


def test_a_library_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERFACE", module.INTERFACE + 1)
    assert library().handlers is None
    assert "of another version of mnistry" in library().said


def test_without_a_compiler_it_says_so_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    with pytest.raises(OSError, match="no-compiler"):
        build(tmp_path)
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="no C\\+\\+ compiler was found"):
        build(tmp_path)
    assert not list(tmp_path.iterdir())


def test_other_processors_have_the_plain_kernels(tmp_path: Path) -> None:
    """Compiled as for them, warnings as errors; in a process of its own, as a library is never let go."""
    script = (
        "import ctypes, pathlib, sys; from mnistry.native.build import build\n"
        "library = build(pathlib.Path(sys.argv[1]), x86=False)\n"
        "print(ctypes.CDLL(str(library)).mnistry_instruction_sets())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        capture_output=True,
        text=True,
        env=os.environ | {"CXXFLAGS": "-Werror -O1"},
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["kernels.so"]
