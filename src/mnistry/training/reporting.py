"""Runs as subjects of a report: at the end of training, and for `mnistry report`."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data import Dataset
from mnistry.evaluation.subjects import Subject
from mnistry.evaluation.weights import first_layer
from mnistry.optimizers import spans_the_run
from mnistry.reading.classifier import Classifier
from mnistry.training.run import Run


def subject(
    run: Run,
    dataset: Dataset,
    *,
    recipe: str,
    classifier: Classifier,
    logits: NDArray[np.float32],
    arrays: Mapping[str, NDArray[Any]],
    figures: Mapping[str, Any],
) -> Subject:
    """A run with all that a report says of it.

    Args:
        run: the run.
        dataset: its data set.
        recipe: what the report calls its recipe; see `recipe_labels`.
        classifier: its `model.onnx`.
        logits: the classifier's, float32[n, 10], for the test part.
        arrays: what `model.safetensors` holds.
        figures: what `evaluation.json` holds or will hold.
    """
    return Subject(
        name=run.path.name,
        recipe=recipe,
        seed=run.seed,
        data=str(run.data),
        facts=_facts(run, figures),
        history=run.history(),
        logits=logits,
        classify=classifier.logits,
        weights=first_layer(arrays, dataset.class_names),
    )


def recipe_labels(runs: Sequence[Run]) -> list[str]:
    """What a report calls each run's recipe; runs that differ in more than their seed are called differently.

    The name alone where it tells, else with the fields that differ: `softmax (steps=500)`.
    """
    values = [_computed_from(run) for run in runs]
    labels = []
    for run, own in zip(runs, values, strict=True):
        namesakes = [
            other for other, one in zip(values, runs, strict=True) if one.recipe.name == run.recipe.name
        ]
        fields = sorted({field for other in namesakes for field in own.keys() | other.keys()})
        differing = [
            f"{field}={own.get(field)}"
            for field in fields
            if any(other.get(field) != own.get(field) for other in namesakes)
        ]
        labels.append(f"{run.recipe.name} ({', '.join(differing)})" if differing else run.recipe.name)
    return labels


def _computed_from(run: Run) -> dict[str, Any]:
    """Everything but the seed that decides what a run computes, by name."""
    recipe = {
        name: value for name, value in run.recipe.to_json().items() if name not in ("summary", "reaches")
    }
    model = {f"model.{name}": value for name, value in recipe.pop("model").items()}
    content = hashlib.sha256(json.dumps(run.data_sha256 | run.also_sha256, sort_keys=True).encode())
    data = {"data": run.data, "data sha256": content.hexdigest()[:8], "init_from": run.init_from}
    plans = run.description.get("earlier_plans") if spans_the_run(run.recipe.schedule) else None
    return recipe | model | data | {"earlier plans": plans}


def _facts(run: Run, figures: Mapping[str, Any]) -> dict[str, str]:
    description = run.description
    recipe = run.recipe.to_json()
    model = recipe.pop("model")
    facts = {
        "summary": recipe.pop("summary"),
        "data": description["data"]["source"],
        "seed": str(run.seed),
        "training": f"{figures['train_seconds']:.1f} s",
        "versions": ", ".join(f"{library} {version}" for library, version in description["versions"].items()),
        "model": " ".join(f"{name}={value}" for name, value in model.items()),
        **{name.replace("_", " "): str(value) for name, value in recipe.items() if name != "reaches"},
    }
    if plain := figures.get("plain_weights"):
        facts["accuracy without averaging"] = f"{plain['accuracy']:.4f}"
    return facts
