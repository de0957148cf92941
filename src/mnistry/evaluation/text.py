"""Evaluations in the terminal."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mnistry.evaluation.compare import McNemar
from mnistry.evaluation.metrics import Evaluation
from mnistry.language import gettext


def render_table(evaluation: Evaluation, class_names: Sequence[str]) -> RenderableType:
    """The headline, a table of the classes and the confusion matrix, for `rich.print`.

    Args:
        evaluation: of at least one image.
        class_names: one for each class; shown as they are, never as markup.

    Raises:
        InvalidValueError: the evaluation is empty.
    """
    headline = Text.assemble(
        gettext("accuracy") + " ",
        (f"{evaluation.accuracy:.2%}", "bold"),
        ("  " + _interval(evaluation), "dim"),
        "\n",
        gettext(
            "mistakes {errors:,} of {n:,} · macro F1 {f1:.4f} · log loss {log_loss:.4f} nats · "
            "calibration error {calibration:.2%}"
        ).format(
            errors=evaluation.errors,
            n=evaluation.n,
            f1=evaluation.macro["f1"],
            log_loss=evaluation.negative_log_likelihood,
            calibration=evaluation.calibration_error,
        ),
        "\n",
    )
    return Group(headline, _classes(evaluation, class_names), "", _confusion(evaluation, class_names))


def render_comparison(
    runs: Mapping[str, Evaluation], test: McNemar | None = None, note: str | None = None
) -> RenderableType:
    """One row a run, and below them whether the first two really differ.

    Args:
        runs: evaluations by the name of the run.
        test: of the first run against the second.
        note: what must be known to compare them.

    Raises:
        InvalidValueError: an evaluation is empty.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(gettext("run"), overflow="fold")
    names = (gettext("mistakes"), gettext("images"), gettext("macro F1"), gettext("log loss"), "ECE")
    table.add_column(gettext("accuracy"), justify="right")
    table.add_column(gettext("{level} interval").format(level="95%"), justify="right", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right")
    best = max((one.accuracy for one in runs.values()), default=0.0)
    for name, one in runs.items():
        low, high = one.accuracy_interval
        table.add_row(
            Text(name),
            Text(f"{one.accuracy:.2%}", "bold" if one.accuracy == best and not note else ""),
            f"{low:.2%}–{high:.2%}",
            f"{one.errors:,}",
            f"{one.n:,}",
            f"{one.macro['f1']:.4f}",
            f"{one.negative_log_likelihood:.4f}",
            f"{one.calibration_error:.2%}",
        )
    if note:
        return Group(table, Text(note, "yellow"))
    if test is None or len(runs) < 2:
        return table
    first, second, *_ = runs
    verdict = Text.assemble(
        gettext("right where the other is wrong: {first} {only_first:,}, {second} {only_second:,}; ").format(
            first=first, only_first=test.only_first, second=second, only_second=test.only_second
        ),
        (f"p = {test.p_value:.2g}", "bold"),
        (gettext(" (McNemar, exact, two-sided)") + "\n", "dim"),
        gettext("Two equally good models would rarely differ by as much.")
        if test.p_value < 0.05
        else gettext("Two equally good models would often differ by as much."),
    )
    return Group(table, verdict)


def _interval(evaluation: Evaluation) -> str:
    low, high = evaluation.accuracy_interval
    # A % before a letter would make a format of %-style out of the message.
    return gettext("{level} interval {low:.2%} to {high:.2%}").format(level="95%", low=low, high=high)


def _classes(evaluation: Evaluation, names: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=True)
    macro = evaluation.macro
    table.add_column(gettext("class"), gettext("mean"))
    table.add_column(gettext("precision"), f"{macro['precision']:.2%}", justify="right")
    table.add_column(gettext("recall"), f"{macro['recall']:.2%}", justify="right")
    table.add_column("F1", f"{macro['f1']:.4f}", justify="right")
    table.add_column(gettext("images"), f"{evaluation.n:,}", justify="right")
    columns = zip(
        names, evaluation.precision, evaluation.recall, evaluation.f1, evaluation.support, strict=True
    )
    for name, precision, recall, f1, support in columns:
        table.add_row(Text(name), f"{precision:.2%}", f"{recall:.2%}", f"{f1:.4f}", f"{support:,}")
    return table


def _confusion(evaluation: Evaluation, names: Sequence[str]) -> Table:
    confusion = evaluation.confusion
    mistakes = confusion - np.diag(confusion.diagonal())
    often = max(2, mistakes.max() / 2)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(gettext("true \\ read as"), justify="right")
    for name in names:
        table.add_column(Text(name), justify="right", no_wrap=True)
    for i, row in enumerate(confusion):
        cells = [
            Text(str(count), "bold blue" if i == j else "bold red" if count >= often else "")
            if count
            else Text("·", "dim")
            for j, count in enumerate(row)
        ]
        table.add_row(Text(names[i]), *cells)
    return table
