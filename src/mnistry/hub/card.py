"""The model card of a run, generated from what its folder holds."""

from typing import Any

from mnistry.data.catalog import CATALOG
from mnistry.data.classes import NO_CLASS
from mnistry.export.metadata import INPUT, OUTPUT
from mnistry.runs import MODEL
from mnistry.training.command import data_name, training_command
from mnistry.training.run import Run


def model_card(run: Run, repo: str, *, source: str, licence: str | None) -> str:
    """The text of the README of a run's repository.

    Args:
        run: a finished run.
        repo: its repository, such as `"user/name"`.
        source: where its data came from, for people.
        licence: of the weights, as the Hub calls it, such as `"mit"`.

    Raises:
        RunError: the run is not finished, or its model reads pages.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mnistry.hub", "."), undefined=jinja2.StrictUndefined, autoescape=False
    )
    evaluation, figures = run.evaluation, run.figures
    low, high = evaluation.accuracy_interval
    values: dict[str, Any] = {
        "repo": repo,
        "name": repo.split("/")[-1],
        "licence": licence,
        "onnx": (run.path / MODEL).exists(),
        "data": data_name(run),
        "data_licence": CATALOG[run.data].licence if run.data in CATALOG else None,
        "source": source,
        "also": [f"{name} ({CATALOG[name].licence})" for name in run.also_sha256],
        "summary": run.recipe.summary,
        "input": INPUT,
        "output": OUTPUT,
        "classes": [name for name in figures["class_names"] if name != NO_CLASS],
        "parameters": run.parameters() or 0,
        "n": evaluation.n,
        "accuracy": evaluation.accuracy,
        "low": low,
        "high": high,
        "errors": evaluation.errors,
        "without_onnx": figures.get("without_onnx"),
        "nothing_learnt": run.nothing_learnt,
        "command": training_command(run),
        "versions": run.description["versions"],
    }
    text: str = environment.get_template("card.md.jinja").render(values)
    return text + "\n"
