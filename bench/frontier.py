"""Accuracy against time: what the recipes reach, what other programs reach here, and what is published.

    python bench/frontier.py

Draws `docs/frontier.png` from `recipes.json`, `limit.json` and `tutorials/mlp.json` in `bench/results/`.
Quoted figures are others' own, on their machines, and marked as such.
"""

import json
import statistics
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from limit import recipe_seconds

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
QUOTED = (
    ("PyTorch, laptop GPU", 0.76, 0.9904),
    ("tinygrad", 5.0, 0.98),
    ("two virtual cores", 60.0, 0.983),
)
"""Name, seconds and test accuracy, as published; tinygrad's in round figures."""
BEST_PUBLISHED = (("best single model, published", 0.9983), ("best ensemble, published", 0.9991))
"""Without a time; both chose the epoch on the test set."""
NAMES = {
    "tensorflow": "TensorFlow",
    "tensorflow-xla": "TensorFlow",
    "keras": "Keras",
    "pytorch": "PyTorch",
    "pytorch-tensors": "PyTorch",
    "pytorch-compiled": "PyTorch",
    "openblas": "C",
}
OURS, PEERS, OTHERS = "#3a54ba", "#cd5218", "#64646e"


def main() -> None:
    """Draws the plot."""
    figure, axes = plt.subplots(figsize=(9, 5.6), layout="constrained")
    seconds_of = recipe_seconds()
    for name, runs in json.loads((RESULTS / "recipes.json").read_text()).items():
        if name in seconds_of:
            accuracy = statistics.mean(run["accuracy"] for run in runs.values())
            mark(axes, name, seconds_of[name], accuracy, OURS, "o")
    rows = json.loads((RESULTS / "tutorials" / "mlp.json").read_text())["rows"]
    peers = sorted(
        (row["train_seconds"], row["accuracy"], NAMES[row["program"]])
        for row in rows
        if row["program"] != "mnistry"
    )
    for seconds_of_peer, accuracy, _ in peers:
        mark(axes, "", seconds_of_peer, accuracy, PEERS, "s")
    names = f"the recipe mlp in {', '.join(dict.fromkeys(name for *_, name in peers))}"
    mark(axes, names, peers[0][0], peers[0][1] - 0.004, PEERS, "")
    for name, quoted_seconds, accuracy in QUOTED:
        mark(axes, name, quoted_seconds, accuracy, OTHERS, "^")
    for name, accuracy in BEST_PUBLISHED:
        axes.axhline(1 - accuracy, color=OTHERS, linewidth=0.8, linestyle=":")
        axes.annotate(
            name,
            (0.995, 1 - accuracy),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
            color=OTHERS,
        )
    axes.set(xscale="log", yscale="log", xlabel="seconds of training", ylabel="wrong on the test images")
    ticks = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
    axes.set_yticks(ticks, [f"{tick:.1%}" for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.set_xticks((1, 10, 100, 1000), ("1 s", "10 s", "100 s", "1,000 s"))
    axes.set(xlim=(0.5, 4000), ylim=(8e-4, 0.04))
    axes.grid(color="#e7e7e3", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    for colour, marker, text in (
        (OURS, "o", "mnistry's recipes, two cores"),
        (PEERS, "s", "other frameworks' programs, the same two cores"),
        (OTHERS, "^", "quoted, on others' machines"),
    ):
        axes.plot([], [], marker, color=colour, label=text)
    axes.legend(framealpha=1, edgecolor="none", fontsize=9, loc="lower left")
    figure.savefig(ROOT / "docs" / "frontier.png", dpi=150)


def mark(axes: Axes, name: str, seconds: float, accuracy: float, colour: str, marker: str) -> None:
    """One point with its name."""
    axes.plot(seconds, 1 - accuracy, marker, color=colour)
    axes.annotate(
        name, (seconds, 1 - accuracy), xytext=(6, 4), textcoords="offset points", fontsize=8, color=colour
    )


if __name__ == "__main__":
    main()
