"""Sweeps: many runs, one after the other or, by Ray Tune, side by side; the chosen ones alone are tested."""

import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mnistry.atomic import write_text
from mnistry.cluster.engine import failure, ray_at, require
from mnistry.cluster.plan import Candidate, Range, Values, best, candidate, drawn, grid
from mnistry.cluster.trials import Place, find_trial, on_cores, open_test, run_trial, validation_accuracy
from mnistry.data.loading import place as place_of_data
from mnistry.errors import ClusterError, InvalidValueError, RunError
from mnistry.history import Row
from mnistry.runs import read_json

if TYPE_CHECKING:
    from mnistry.training import Run

SWEEP, TUNE = "sweep.json", ".tune"
"""In the folder of the runs: what was tried and chosen; and what Ray Tune keeps to go on."""
GRACE = 25
"""Percent of its steps that a trial is given before it is stopped early."""

Search = Literal["grid", "random", "optuna"]


@dataclass(frozen=True)
class Tried:
    """What came of a candidate.

    Attributes:
        candidate: the recipe and its settings.
        runs: the folders of its finished runs, one a seed; fewer where trials were stopped early.
        accuracies: on validation, of each of these.
    """

    candidate: Candidate
    runs: tuple[Path, ...]
    accuracies: tuple[float, ...]


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep.

    Attributes:
        tried: the candidates, in the order of the plan.
        chosen: the best on validation, whose runs alone were measured on the test part.
        runs: its runs.
    """

    tried: tuple[Tried, ...]
    chosen: Candidate
    runs: tuple["Run", ...]


def sweep(
    recipes: Sequence[str],
    *,
    settings: Mapping[str, Values] | None = None,
    seeds: int = 1,
    seed: int = 0,
    search: Search = "grid",
    trials: int = 10,
    stop_early: bool = False,
    data: str = "mnist",
    data_dir: Path | None = None,
    runs: Path | str = "sweep",
    cluster: str | None = None,
    cores: int = 1,
    on_trial: Callable[[str], object] = lambda said: None,
) -> Sweep:
    """Trains every candidate with every seed, chooses by validation, and tests the chosen one alone.

    Each trial is an ordinary run folder. Those that are there are not made again, and one that was stopped
    goes on from its checkpoint: the same call goes on with a sweep that was killed.

    Args:
        recipes: their names.
        settings: the values of fields, see `mnistry.cluster.plan.parse_settings`.
        seeds: of each candidate, `seed` and those after it.
        seed: the first; it also decides what is drawn.
        search: all combinations; or `trials` of them, drawn at random or proposed by Optuna (on a cluster).
        trials: for each recipe, how many combinations are tried that are not a grid's.
        stop_early: stop trials that are worse than others after as many steps (ASHA, on a cluster).
        data, data_dir: see `mnistry.train`.
        runs: the folder of the run folders, which all machines of a cluster see.
        cluster: where Ray runs, see `mnistry.cluster.engine.ray_at`; by default trials are made here, one
            after the other.
        cores: of a cluster, for each trial.
        on_trial: is told of each finished trial.

    Raises:
        MnistryError: a name, value, folder or cluster is not usable, or training failed.
        Interrupted: as for `mnistry.train`.
    """
    settings = settings or {}
    for name, value in {"seeds": seeds, "trials": trials, "cores": cores}.items():
        if value < 1:
            raise InvalidValueError(f"`{name}` must be at least 1, not {value}")
    if cluster is None and (stop_early or search == "optuna"):
        raise InvalidValueError(
            "`search='optuna'` and `stop_early=True` are Ray Tune's: say where it runs, such as "
            "`cluster='local'`"
        )
    if cluster is not None:
        require(cluster)
    candidates = _candidates(recipes, settings, search, trials, seed)
    choosing = len(candidates) > 1 or search == "optuna"
    for one in candidates:
        if choosing and one.recipe.validation == 0:
            raise InvalidValueError(
                f"{one.label}: learns from all images, so there are none to choose by; set `validation` too, "
                "such as `set='validation=0.0833'`"
            )
    folder = Path(runs).absolute()
    place = Place(folder, place_of_data(data), data_dir.absolute() if data_dir else None, choosing)
    plan = {
        "recipes": list(recipes),
        "settings": {name: str(values) for name, values in settings.items()},
        "seeds": [seed, seeds],
        "search": [search, *([trials] if search != "grid" else [])],
        "stop_early": stop_early,
        "data": place.data,
    }
    _require_same(folder, plan)
    seed_numbers = range(seed, seed + seeds)
    if cluster is None:
        for one in candidates:
            for number in seed_numbers:
                on_trial(_said(one, run_trial(place, one.recipe, number)))
    else:
        found = _by_tune(
            cluster, place, candidates, settings, search, trials, seed_numbers, stop_early, cores
        )
        candidates = found or candidates
    tried = [_tried(place, one, seed_numbers) for one in candidates]
    complete = {one.candidate: one.accuracies for one in tried if len(one.runs) == seeds}
    if not complete:
        raise RunError(f"{folder}: no candidate has all of its runs, so none can be chosen")
    chosen = best(complete) if choosing else candidates[0]
    # Written before the test part is opened: what is chosen cannot depend on it.
    _write(folder, plan, tried, chosen)
    from mnistry.training import Run

    opened = tuple(open_test(Run.open(path)) for one in tried if one.candidate == chosen for path in one.runs)
    _write(folder, plan, tried, chosen, opened)
    return Sweep(tuple(tried), chosen, opened)


def _candidates(
    recipes: Sequence[str], settings: Mapping[str, Values], search: Search, trials: int, seed: int
) -> list[Candidate]:
    if not recipes:
        raise InvalidValueError("name at least one recipe")
    if search == "grid":
        return grid(recipes, settings)
    if not settings:
        raise InvalidValueError(
            f"`search={search!r}` needs fields to search in: `set='learning_rate=0.01..1.0'`"
        )
    if search == "optuna" and len(recipes) > 1:
        raise InvalidValueError("`search='optuna'` learns from trial to trial, of one recipe; name one")
    return drawn(recipes, settings, trials=1 if search == "optuna" else trials, seed=seed)


def _require_same(folder: Path, plan: dict[str, Any]) -> None:
    """Raises `InvalidValueError` where the folder is of another sweep: its test part was opened for that."""
    if (folder / SWEEP).exists():
        earlier = read_json(folder / SWEEP).get("plan")
        if earlier != json.loads(json.dumps(plan)):
            raise InvalidValueError(
                f"{folder / SWEEP}: this folder is of another sweep: {json.dumps(earlier)}. Its test images "
                "were opened for what was chosen there. Name another folder with `runs`"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidValueError(f"{folder}: cannot be made: {error.strerror or error}") from error


def _said(one: Candidate, run: "Run") -> str:
    figure = (
        f"{validation_accuracy(run):.4f} on validation" if run.history() and one.recipe.validation else ""
    )
    return f"{run.path}: {one.label}, seed {run.seed}" + (f": {figure}" if figure else "")


def _tried(place: Place, one: Candidate, seeds: range) -> Tried:
    found = [run for seed in seeds if (run := find_trial(place, one.recipe, seed)) and run.finished]
    accuracies = tuple(validation_accuracy(run) for run in found) if place.choosing else ()
    return Tried(one, tuple(run.path for run in found), accuracies)


def _write(
    folder: Path,
    plan: dict[str, Any],
    tried: Sequence[Tried],
    chosen: Candidate,
    runs: Sequence["Run"] = (),
) -> None:
    content = {
        "plan": plan,
        "tried": [
            {
                "candidate": one.candidate.label,
                "runs": [path.name for path in one.runs],
                "validation_accuracy": one.accuracies,
                "mean": statistics.mean(one.accuracies) if one.accuracies else None,
            }
            for one in tried
        ],
        "chosen": chosen.label,
        "test_accuracy": [run.evaluation.accuracy for run in runs],
    }
    write_text(folder / SWEEP, json.dumps(content, indent=2) + "\n")


def _by_tune(
    cluster: str,
    place: Place,
    candidates: Sequence[Candidate],
    settings: Mapping[str, Values],
    search: Search,
    trials: int,
    seeds: range,
    stop_early: bool,
    cores: int,
) -> list[Candidate]:
    """Ray Tune makes the trials, as many at a time as there are cores; returns what Optuna proposed.

    Raises:
        ClusterError: a trial failed, or the cluster did.
    """
    with ray_at(cluster, cpus=os.cpu_count() or 1):
        from ray import tune

        configuration: dict[str, Any] = {}
        if search == "optuna":
            configuration = {name: _space(values) for name, values in settings.items()}
            function = partial(_proposed, place, candidates[0].recipe.name, tuple(seeds), cores)
        else:
            pairs = [(one, seed) for one in candidates for seed in seeds]
            configuration["trial"] = tune.grid_search(list(range(len(pairs))))
            function = partial(_planned, place, pairs, cores)
        trainable = tune.with_resources(function, {"cpu": cores})
        try:
            if tune.Tuner.can_restore(str(place.runs / TUNE / "sweep")):
                tuner = tune.Tuner.restore(
                    str(place.runs / TUNE / "sweep"), trainable, resume_unfinished=True, resume_errored=True
                )
            else:
                tuner = tune.Tuner(
                    trainable,
                    param_space=configuration,
                    tune_config=tune.TuneConfig(
                        metric="validation_accuracy",
                        mode="max",
                        search_alg=_optuna(seeds[0]) if search == "optuna" else None,
                        num_samples=trials if search == "optuna" else 1,
                        scheduler=_asha() if stop_early else None,
                    ),
                    run_config=tune.RunConfig("sweep", str(place.runs / TUNE), verbose=0),
                )
            with redirect_stdout(sys.stderr):  # Tune tells of itself whatever it is asked
                results = tuner.fit()
        except ClusterError:
            raise
        except Exception as error:  # of Ray's own
            raise failure(error) from error
        if results.errors:
            raise failure(results.errors[0])
        if search != "optuna":
            return []
        configurations = [results[number].config or {} for number in range(len(results))]
        proposed = (candidate(candidates[0].recipe.name, values) for values in configurations)
        return list(dict.fromkeys(proposed))


def _asha() -> Any:
    from ray.tune.schedulers import ASHAScheduler

    return ASHAScheduler(time_attr="percent", max_t=100, grace_period=GRACE)


def _optuna(seed: int) -> Any:
    try:
        from ray.tune.search.optuna import OptunaSearch

        return OptunaSearch(seed=seed)
    except (ImportError, AssertionError) as error:
        raise ClusterError(
            "`search='optuna'` needs optuna, which is not installed: pip install 'mnistry[optuna]'"
        ) from error


def _space(values: Values) -> Any:
    from ray import tune

    if not isinstance(values, Range):
        return tune.choice(list(values))
    if values.whole:
        between = tune.lograndint if values.logarithmic else tune.randint
        return between(int(values.low), int(values.high) + 1)
    return (tune.loguniform if values.logarithmic else tune.uniform)(values.low, values.high)


def _planned(
    place: Place, pairs: Sequence[tuple[Candidate, int]], cores: int, configuration: dict[str, Any]
) -> None:
    """A trial of the plan, in a process of Ray."""
    one, seed = pairs[configuration["trial"]]
    on_cores(cores)
    _report(place, run_trial(place, one.recipe, seed, on_validation=partial(_row, one.recipe.steps)))


def _proposed(
    place: Place, name: str, seeds: Sequence[int], cores: int, configuration: dict[str, Any]
) -> None:
    """A trial that Optuna proposed, in a process of Ray: all of its seeds, as their mean counts."""
    on_cores(cores)
    one = candidate(name, configuration)
    _report(place, *(run_trial(place, one.recipe, seed) for seed in seeds))


def _report(place: Place, *runs: "Run") -> None:
    from ray import tune

    accuracies = [validation_accuracy(run) if place.choosing else 1.0 for run in runs]
    tune.report({"validation_accuracy": statistics.mean(accuracies), "percent": 100})


def _row(steps: int, row: Row) -> None:
    """Tells Tune how far a trial is, which may end it there; of the last step the finished run tells."""
    from ray import tune

    if "validation_accuracy" in row and row["step"] < steps:
        percent = 100 * row["step"] // steps
        tune.report({"validation_accuracy": row["validation_accuracy"], "percent": percent})
