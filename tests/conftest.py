"""What all tests share: real MNIST where MNISTRY_DATA names it, and the command as a process."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from mnistry.cli import main
from mnistry.data import Dataset, load
from mnistry.data.convert import write

# Read now, because some tests change the environment.
REAL_DATA = os.environ.get("MNISTRY_DATA")
EVERYTHING_MUST_RUN = bool(os.environ.get("CI"))
os.environ["LANGUAGE"] = "en"  # wherever the tests run, and for the processes that they start


QUICKLY = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
if version("jaxlib").startswith("0.10."):  # one that does not know the flag would end the process
    QUICKLY["XLA_FLAGS"] = "--xla_cpu_use_fusion_emitters=false " + os.environ.get("XLA_FLAGS", "")
"""How programs compile that make a few steps on a few images: in a tenth of the time, to slower ones."""


def pytest_configure(config: pytest.Config) -> None:
    """Says how the tests, and the processes that they start, compile and where they keep it.

    No test reads or fills the user's cache; what one process compiles, the others need not. Programs are
    optimized in the slow tests, which train whole recipes. All this is said before any test is collected,
    because JAX keeps to what it is told first, and xdist starts its processes afterwards.
    """
    if hasattr(config, "workerinput"):
        return
    if config.option.markexpr == "not slow":
        os.environ.update(QUICKLY)
    folder = tempfile.TemporaryDirectory(prefix="cache-of-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    os.environ["MNISTRY_CACHE"] = folder.name
    os.environ["JAX_COMPILATION_CACHE_DIR"] = f"{folder.name}/compiled"
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test has failed; only real data may be missing there, where MNISTRY_DATA names none."""
    report = yield
    may_skip = "real_data" in getattr(item, "fixturenames", ()) and not REAL_DATA
    if EVERYTHING_MUST_RUN and report.skipped and not may_skip and not hasattr(report, "wasxfail"):
        refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI a file whose tests are all skipped has failed."""
    report = yield
    if EVERYTHING_MUST_RUN and report.skipped:
        refuse_skip(report)
    return report


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    assert isinstance(report.longrepr, tuple)
    file, line, reason = report.longrepr
    report.outcome = "failed"
    report.longrepr = f"{file}:{line}: where CI is set, this must run. {reason}"


@pytest.fixture(scope="module", autouse=True)
def compiled_programs_are_forgotten() -> Iterator[None]:
    """After each file, because those of all tests together take gigabytes."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that MNISTRY_DATA names."""
    if not REAL_DATA:
        pytest.skip("MNISTRY_DATA does not name a folder with MNIST")
    return Path(REAL_DATA)


@pytest.fixture(scope="session")
def mnist(real_data: Path) -> Dataset:
    """Real MNIST."""
    return load("mnist", real_data, download=False)


@pytest.fixture(scope="session")
def optdigits() -> Dataset:
    """The bundled digits."""
    return load("optdigits")


@pytest.fixture(scope="session")
def digits_folder(optdigits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled digits as IDX files, which a new process reads without loading scikit-learn."""
    folder = tmp_path_factory.mktemp("digits") / "digits"
    write(optdigits, folder, "idx")
    return folder


@pytest.fixture(scope="session")
def blank_pdf() -> Callable[..., bytes]:
    """Makes a PDF of blank pages of a size in points; `more` goes into its trailer."""

    def make(pages: int = 1, width: float = 595, height: float = 842, more: str = "") -> bytes:
        kids = " ".join(f"{3 + number} 0 R" for number in range(pages))
        page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]>>"
        objects = [
            "<</Type/Catalog/Pages 2 0 R>>",
            f"<</Type/Pages/Count {pages}/Kids[{kids}]>>",
            *[page] * pages,
        ]
        content, places = "%PDF-1.4\n", []
        for number, one in enumerate(objects, 1):
            places.append(len(content))
            content += f"{number} 0 obj{one}endobj\n"
        table = "".join(f"{place:010} 00000 n \n" for place in places)
        size = len(objects) + 1
        trailer = f"trailer<</Size {size}/Root 1 0 R{more}>>\nstartxref\n{len(content)}\n%%EOF\n"
        return f"{content}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")

    return make


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def mnistry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `mnistry …` in this process, in a temporary folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        capsys.readouterr()
        try:
            status = main(words)
        except SystemExit as exit:  # raised by the parser of flags
            status = int(exit.code or 0)
        captured = capsys.readouterr()
        return subprocess.CompletedProcess(words, status, captured.out, captured.err)

    return run


@pytest.fixture
def mnistry_process(tmp_path: Path) -> Command:
    """Runs `mnistry …` as a process of its own, in a temporary folder."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mnistry", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=240,
            env=os.environ | environment,
        )

    return run
