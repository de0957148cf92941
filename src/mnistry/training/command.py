"""How a run was started, as a command that starts it again."""

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

from mnistry.data.catalog import CATALOG
from mnistry.models import OwnModel
from mnistry.recipes import RECIPES, own_values
from mnistry.training.run import Run


def origin(run: Run) -> dict[str, str]:
    """What the file of a run's model tells of where it comes from: see `mnistry.export.metadata`."""
    named = [*([run.data] if run.data in CATALOG else []), *run.also_sha256]
    own = [] if run.data in CATALOG else [data_name(run)]
    return {
        "training": training_command(run),
        "training_data": ", ".join([*own, *(f"{name} ({CATALOG[name].licence})" for name in named)]),
        "mnistry": str(run.description["versions"].get("mnistry", "")),
    }


def training_command(run: Run) -> str:
    """The command; of what only Python can do, a call. Of data of one's own, the name without its folder.

    >>> from tempfile import mkdtemp
    >>> from mnistry.training import train
    >>> training_command(train("softmax", data="optdigits", steps=5, runs=mkdtemp()))
    'mnistry train softmax --data optdigits --seed 0 --steps 5'
    """
    recipe = run.recipe
    base = RECIPES.get(recipe.name)
    changed: dict[str, Any] = {name: getattr(recipe, name) for name in own_values(recipe)}
    if run.data_shapes or base is None or isinstance(recipe.model, OwnModel) or not _named(recipe.loss):
        start = repr(recipe.name) if base else f"<the recipe {recipe.name!r} of its recipe.json>"
        data = "<the same arrays>" if run.data_shapes else repr(data_name(run))
        values = "".join(f", {name}={value!r}" for name, value in changed.items() if base and name != "name")
        return f"mnistry.train({start}, data={data}, seed={run.seed}{values})"
    words = ["mnistry", "train", recipe.name, "--data", data_name(run), "--seed", str(run.seed)]
    words += [
        word for name, value in run.image_form.to_json().items() if value for word in _flag(name, value)
    ]
    if run.init_from:
        words += ["--init-from", run.init_from.name]
    if "model" in changed:
        before, after = base.model, changed.pop("model")
        for item in fields(after):
            if (value := getattr(after, item.name)) != getattr(before, item.name, None):
                words += _flag(f"model.{item.name}", value)
    for name, value in changed.items():
        words += _flag(name, value)
    return shlex.join(words)


def _named(loss: object) -> bool:
    return isinstance(loss, str)


def data_name(run: Run) -> str:
    """What a run's data are called: a named data set, or a folder or file without where it lies."""
    return run.data if run.data in CATALOG else Path(run.data).name


def _flag(name: str, value: Any) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{flag}", *map(str, values)]
