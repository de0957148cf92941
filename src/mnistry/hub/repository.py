"""A run as a repository of the Hugging Face Hub, and back."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnistry.data.catalog import CATALOG
from mnistry.errors import InvalidValueError, RunError
from mnistry.export.arrays import read_arrays
from mnistry.hub.card import model_card
from mnistry.reading.classifier import Classifier
from mnistry.runs import EVALUATION, METRICS, MODEL, RECIPE, TRAINABLE, WEIGHTS, read_run
from mnistry.training.run import Run

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CARD = "README.md"
KEPT = (RECIPE, EVALUATION, METRICS, TRAINABLE, WEIGHTS, MODEL)
"""The files of a run that a repository holds. The report is not among them: it shows images of the data."""
NEEDED = (RECIPE, EVALUATION, WEIGHTS)
MOST_BYTES = 2**30
"""A repository whose files of a run take more is refused."""
_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def push(
    run: Run | Path | str,
    repo: str,
    *,
    licence: str | None = None,
    private: bool = False,
    message: str = "A run of mnistry",
    endpoint: str | None = None,
) -> str:
    """Puts a finished run into a repository of the Hugging Face Hub, which is made where there is none.

    It holds the weights, `model.onnx`, the figures and metrics, `recipe.json` without this machine's folders,
    and a model card. Who one is, is what `hf auth login` or HF_TOKEN says.

    Args:
        run: the run, or its folder.
        repo: the repository, such as `"user/name"`.
        licence: of the weights, as the Hub calls it, such as `"mit"`.
        private: whether a new repository is seen by its owner alone.
        message: of the commit.
        endpoint: another Hub than huggingface.co.

    Returns:
        The address of the commit.

    Raises:
        InvalidValueError: no such name of a repository can be.
        RunError: the run is not finished, or the Hub refuses; nothing is half there, as it is one commit.
    """
    from huggingface_hub import CommitOperationAdd

    run = run if isinstance(run, Run) else Run.open(run)
    _check_name(repo)
    description = _without_folders(run)
    card = model_card(run, repo, source=description["data"]["source"], licence=licence)
    contents: dict[str, bytes | str] = {
        CARD: card.encode(),
        RECIPE: (json.dumps(description, indent=2) + "\n").encode(),
    }
    contents |= {name: str(run.path / name) for name in KEPT if name != RECIPE and (run.path / name).exists()}
    with _hub(endpoint, repo) as api:
        api.create_repo(repo, private=private, exist_ok=True)
        operations = [
            CommitOperationAdd(path_in_repo=name, path_or_fileobj=content)
            for name, content in contents.items()
        ]
        done = api.create_commit(repo, operations, commit_message=message)
    return str(done.commit_url)


def pull(
    repo: str, *, runs: Path | str = "runs", revision: str | None = None, endpoint: str | None = None
) -> Run:
    """Gets a run that was pushed to the Hugging Face Hub, into a folder of `runs` with the repository's name.

    What comes is checked before it is there: the recipe against its fingerprint, the weights against their
    checksums, the ONNX file by loading it. Nothing of it is executed.

    Args:
        repo: the repository, such as `"user/name"`.
        runs: the folder of runs.
        revision: a branch, tag or commit; by default the newest.
        endpoint: another Hub than huggingface.co.

    Raises:
        InvalidValueError: the folder exists already, or no such name of a repository can be.
        RunError: there is no such repository, it is no run, damaged, or too large; nothing is left behind.
    """
    _check_name(repo)
    runs = Path(runs)
    target = runs / repo.split("/")[1]
    if target.exists():
        raise InvalidValueError(f"{target} exists already; nothing is overwritten. Choose another `runs`")
    with _hub(endpoint, repo) as api:
        info = api.model_info(repo, revision=revision, files_metadata=True)
        sizes = {one.rfilename: one.size or 0 for one in info.siblings or [] if one.rfilename in KEPT}
        if missing := [name for name in NEEDED if name not in sizes]:
            raise RunError(f"{repo}: it is no run of mnistry: {', '.join(missing)} is missing")
        if sum(sizes.values()) > MOST_BYTES:
            raise RunError(
                f"{repo}: its files take {sum(sizes.values()):,} bytes; at most {MOST_BYTES:,} may be"
            )
        runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=runs, prefix=".pulling-") as scratch:
            folder = Path(scratch) / target.name
            api.snapshot_download(
                repo, revision=info.sha, local_dir=folder, allow_patterns=list(KEPT), max_workers=4
            )
            shutil.rmtree(folder / ".cache", ignore_errors=True)  # what the library notes for itself
            _check(folder, repo)
            folder.rename(target)
    return Run.open(target)


def _check_name(repo: str) -> None:
    if not _NAME.fullmatch(repo) or repo.split("/")[1].startswith("."):
        raise InvalidValueError(
            f"a repository is named by its owner and its name, such as user/name, not {repo!r}"
        )


def _check(folder: Path, repo: str) -> None:
    """Raises RunError where what came is no whole run."""
    try:
        run = read_run(folder)
        _ = run.evaluation
        for name in (WEIGHTS, TRAINABLE):
            if (folder / name).exists():
                read_arrays(folder / name)
        if (folder / MODEL).exists():
            Classifier.load(folder / MODEL)
    except RunError as error:
        raise RunError(f"{repo}: {str(error).replace(f'{folder}/', '')}") from error


@contextmanager
def _hub(endpoint: str | None, repo: str) -> Iterator["HfApi"]:
    """The Hub; what goes wrong with it is an error that says what to do."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, RepositoryNotFoundError

    try:
        yield HfApi(endpoint=endpoint, library_name="mnistry")
    except RepositoryNotFoundError as error:
        raise RunError(f"{repo}: there is no such repository, or it may not be seen: {_login()}") from error
    except (HfHubHTTPError, LocalTokenNotFoundError) as error:
        response = getattr(error, "response", None)
        refused = response is None or response.status_code in (401, 403)
        said = str(getattr(error, "server_message", None) or error).strip().splitlines()[0]
        raise RunError(f"{repo}: the Hub refuses: {said}{f'. {_login()}' if refused else ''}") from error
    except OSError as error:
        raise RunError(f"{repo}: the Hub was not reached: {error}") from error
    except Exception as error:
        if not type(error).__module__.startswith(("httpx", "httpcore")):
            raise
        raise RunError(f"{repo}: the Hub was not reached: {error}") from error


def _login() -> str:
    return "Log in by `hf auth login`, or give a token in HF_TOKEN"


def _without_folders(run: Run) -> dict[str, Any]:
    """What `recipe.json` holds, without the folders of this machine; none of them decides a number."""
    data = dict(run.description["data"])
    name = data["name"] if data["name"] in CATALOG or run.data_shapes else Path(data["name"]).name
    # What was told of the source in brackets, such as how far it was verified, without where it lay.
    verdict = re.search(r" \([^()]*\)$", data["source"])
    init_from = run.init_from
    return {
        **run.description,
        "data": data | {"name": name, "data_dir": None, "source": name + (verdict[0] if verdict else "")},
        "init_from": init_from.name if init_from else None,
    }
