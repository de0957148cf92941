"""Printed numbers as dots on the band of ours, and the table of them all."""

from html import escape

import numpy as np
from IPython.display import HTML

from book import figures
from book.printed import ACCURACY, FEW_SEEDS, PRINTED, bands, ours, require_inside
from mnistry.recipes import RECIPES


def dots_on_band(recipe: str, told: str, *, logarithmic: bool = False) -> HTML:
    """The losses that a text prints, as dots, on those of ours for the same steps.

    Args:
        recipe: ours for the text's program.
        told: what the figure shows, for those who cannot see it.
        logarithmic: whether steps are drawn by their logarithms.

    Raises:
        AssertionError: a printed number has left its band.
    """
    every = bands()
    require_inside(every, recipe)
    numbers = [number for number in PRINTED if number.recipe == recipe and number.step != ACCURACY]
    steps = [int(number.step) for number in numbers]
    values = ours()[recipe]
    seeds = np.array([values[str(step)] for step in steps])
    low, high = np.array([every[number] for number in numbers]).T
    figure, [axes] = figures.new("loss of the batch")
    axes.fill_between(
        steps, low, high, color=figures.FIRST, alpha=0.15, lw=0, label="where one more run falls"
    )
    axes.fill_between(
        steps, seeds.min(axis=1), seeds.max(axis=1), color=figures.FIRST, alpha=0.35, lw=0, label="our seeds"
    )
    printed = [number.value for number in numbers]
    axes.plot(steps, printed, "o", color=figures.SECOND, ms=4, label="printed in the text")
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xticks(steps, [f"{step:,}" for step in steps], minor=False)
        axes.minorticks_off()
    axes.set_ylim(0, 1.1 * seeds.max())  # the band of the first loss would make all others flat
    axes.set_xlabel("step")
    axes.legend()
    return figures.show(figure, told)


_WHAT = {"softmax": "about 92 %", "mlp": "0.98", "scratch": "0.82"}


def _place(recipe: str, step: int | str) -> str:
    """Where in a program a number is printed."""
    if step == ACCURACY:
        return "test accuracy"
    if recipe == "scratch":
        epoch, batch = divmod(int(step) - 1, 469)
        return f"epoch {epoch}, batch {batch}"
    return f"step {step}"


def table_of_printed_numbers() -> HTML:
    """Every printed number beside ours: mean over the seeds, band and verdict.

    Raises:
        AssertionError: a printed number has left its band.
    """
    every = bands()
    require_inside(every)
    values = ours()
    rows = ""
    for number, (low, high) in every.items():
        seeds = values[number.recipe][str(number.step)]
        shown = ".3f" if number.step == ACCURACY else ".2f"
        texts = (f"{np.mean(seeds):{shown}}", f"{low:{shown}} – {high:{shown}}", str(len(seeds)))
        printed = _WHAT[number.recipe] if number.step == ACCURACY else number.text
        place = escape(_place(number.recipe, number.step))
        verdict = "inside, beyond every seed" if number.beyond(seeds) else "inside"
        cells = "".join(f"<td>{text}</td>" for text in (place, printed, *texts, verdict))
        rows += f"<tr><td><code>{number.recipe}</code></td>{cells}</tr>"
    heads = ("program", "where", "printed", "ours, mean", "band", "seeds", "verdict")
    return HTML(f'<table class="book"><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr>{rows}</table>')


def table_of_programs() -> HTML:
    """What the programs themselves reach on TensorFlow 2.21, beside the mean of ours."""
    rows = []
    for recipe, values in ours().items():
        if recipe in FEW_SEEDS:
            continue
        reaches = RECIPES[recipe].reaches
        assert reaches
        theirs = " – ".join(f"{end:.3f}" for end in dict.fromkeys(reaches))
        rows.append((recipe, theirs, values[ACCURACY]))
    return _accuracies("itself, on TensorFlow 2.21", rows)


def table_of_few_seeds() -> HTML:
    """What is told of the programs beside the five texts, and what ours reach."""
    every = ours()
    rows = [(recipe, told, every[recipe][ACCURACY]) for recipe, told in FEW_SEEDS.items() if recipe in every]
    return _accuracies("told", rows)


def _accuracies(theirs: str, rows: list[tuple[str, str, list[float]]]) -> HTML:
    """A table of test accuracies: recipe, theirs and the mean of ours over seeds."""
    heads = ("program", theirs, "ours, mean ± sd", "seeds")
    shown = f"<tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
    for recipe, told, seeds in rows:
        figure = f"{np.mean(seeds):.4f}" + (f" ± {np.std(seeds, ddof=1):.4f}" if len(seeds) > 1 else "")
        cells = (f"<code>{recipe}</code>", told, figure, str(len(seeds)))
        shown += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    return HTML(f'<table class="book">{shown}</table>')
