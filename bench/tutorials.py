"""How fast is each recipe, from the start of its process to the test accuracy, against the same program in
TensorFlow, Keras, PyTorch and C?

    python bench/tutorials.py --data-dir FOLDER

In TensorFlow as the tutorials' sessions, and as whole epochs in one `tf.function(jit_compile=True)`; as Keras
`fit`; in PyTorch as a loop with `DataLoader`, and with the images as one tensor, eager and with
`torch.compile`; `mlp` also in C over OpenBLAS. All are reported, the fastest peer first: it is the one to be
compared with.

On first use the peers' environments are made beside this file (about 3 GB). The programs take turns, so that
a machine that warms up slows all of them alike; the first round may find a cold disk, hence medians. Measure
on a machine that does nothing else: where threads must wait for a processor, PyTorch can become ten times
slower, far more than the others. What other processes took meanwhile is stated with the results. Programs
that keep what they compile (mnistry, `torch.compile`) start without it, and find it from their second run on.
"""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tyro
from rich.console import Console
from rich.table import Table

from arithmetic import measured_rates, multiply_adds
from mnistry import atomic
from mnistry.recipes import RECIPES, Recipe
from peers.environments import PEERS, REQUIREMENTS, PeerName, peer_command

RecipeName = Literal["softmax", "softmax-sum", "mlp", "scratch", "lstm", "mlp-deep", "lenet5"]

# Where a recipe of mnistry departs from the tutorial's program, mnistry is told to follow the program.
TUTORIAL: dict[RecipeName, dict[str, Any]] = {
    "mlp-deep": {"steps": 8_600, "schedule": "constant"},
    "lenet5": {"learning_rate": 1e-3},
}


@dataclass(frozen=True)
class Arguments:
    data_dir: Path
    """Folder of the four MNIST .gz files."""
    recipes: tuple[RecipeName, ...] = get_args(RecipeName)
    peers: tuple[PeerName, ...] = tuple(PEERS)
    """Programs to compare with. Where the package index has PyTorch with CUDA only, set
    PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu when the environments are made."""
    repeats: int = 5
    """Runs of each program for each recipe."""
    fraction: float = 1.0
    """Share of each recipe's steps to run, for a quick look."""
    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None
    """File for the numbers, written anew after each run."""

    def __post_init__(self) -> None:
        if self.repeats < 1 or not 0 < self.fraction <= 1:
            raise SystemExit("--repeats must be at least 1; --fraction must be above 0 and at most 1")
        if not self.data_dir.is_dir():
            raise SystemExit(
                f"--data-dir: a folder with the four MNIST .gz files was expected: {self.data_dir}"
            )


@dataclass(frozen=True)
class Run:
    """One process, from its start to its end."""

    recipe: RecipeName
    program: str
    steps: int
    batch_size: int
    seconds: float
    train_seconds: float
    compile_seconds: float | None
    """Of `seconds`, what tracing and compiling took, where the program tells them from training."""
    accuracy: float
    cpus_of_others: float | None
    """Processors that other processes kept busy meanwhile; None where the system does not tell."""


@dataclass(frozen=True)
class Failure:
    """A process that did not answer as it should."""

    recipe: RecipeName
    program: str
    message: str


@dataclass
class Results:
    """What the JSON file holds, besides the rows computed from it."""

    machine: dict[str, Any]
    fraction: float
    runs: list[Run] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """One row for each recipe and program: mnistry's, then its peers', the fastest first.

        `seconds`, `train_seconds`, `compile_seconds` and `accuracy` are medians.
        """
        groups: dict[tuple[RecipeName, str], list[Run]] = {}
        for run in self.runs:
            groups.setdefault((run.recipe, run.program), []).append(run)
        seconds = {key: statistics.median(run.seconds for run in runs) for key, runs in groups.items()}
        recipes = list(dict.fromkeys(recipe for recipe, _ in groups))
        ranked = sorted(groups, key=lambda key: (recipes.index(key[0]), key[1] != "mnistry", seconds[key]))
        rows = []
        for recipe, program in ranked:
            runs = groups[recipe, program]
            steps, batch_size = runs[0].steps, runs[0].batch_size
            train_seconds = statistics.median(run.train_seconds for run in runs)
            compile_seconds = [run.compile_seconds for run in runs if run.compile_seconds is not None]
            mnistry_seconds = seconds.get((recipe, "mnistry"))
            # The short batch that ends an epoch in file order counts as a whole one: 0.05 % too many.
            operations = multiply_adds(RECIPES[recipe].model).training_operations() * steps * batch_size
            gflops = operations / train_seconds / 1e9
            row = {
                "recipe": recipe,
                "program": program,
                "steps": steps,
                "batch_size": batch_size,
                "runs": len(runs),
                "seconds": seconds[recipe, program],
                "fastest": min(run.seconds for run in runs),
                "slowest": max(run.seconds for run in runs),
                "times_mnistry": seconds[recipe, program] / mnistry_seconds if mnistry_seconds else None,
                "train_seconds": train_seconds,
                "compile_seconds": statistics.median(compile_seconds) if compile_seconds else None,
                "accuracy": statistics.median(run.accuracy for run in runs),
                "gflops": gflops,
                "share_of_machine": gflops / self.machine["gflops"],
            }
            rows.append(row)
        return rows

    def write(self, path: Path) -> None:
        atomic.write_text(path, json.dumps({**asdict(self), "rows": self.rows()}, indent=1) + "\n")


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    peers = {peer: peer_command(peer) for peer in arguments.peers}
    say("measuring the machine's matrix products")
    results = Results(measure_machine(), arguments.fraction)
    try:
        with tempfile.TemporaryDirectory() as caches:
            measure(arguments, peers, results, Path(caches))
    except KeyboardInterrupt:
        say("interrupted; these are the runs so far")
        show(results)
        raise SystemExit(130) from None
    show(results)


def measure(arguments: Arguments, peers: dict[PeerName, list[str]], results: Results, caches: Path) -> None:
    """Runs all programs in turns, and adds to the results."""
    for name in arguments.recipes:
        recipe = replace(RECIPES[name], **TUTORIAL.get(name, {}))
        recipe = replace(recipe, steps=max(1, round(recipe.steps * arguments.fraction)))
        commands = {"mnistry": mnistry_command(name, recipe, arguments.data_dir)}
        for peer, command in peers.items():
            if PEERS[peer].only in (None, name):
                commands[peer] = [*command, name, *lengths(recipe, arguments.data_dir)]
        for repeat in range(1, arguments.repeats + 1):
            for program, command in list(commands.items()):
                outcome = run_program(name, program, command, recipe, caches)
                if isinstance(outcome, Run):
                    results.runs.append(outcome)
                    note = f"{outcome.seconds:.2f} s, accuracy {outcome.accuracy:.4f}"
                    if (outcome.cpus_of_others or 0) > 0.1:
                        note += f"; other processes took {outcome.cpus_of_others:.2f} CPUs"
                else:
                    results.failures.append(outcome)
                    del commands[program]  # it would only fail again
                    note = f"failed, and is left out of this recipe\n{outcome.message}"
                say(f"{name} {repeat}/{arguments.repeats} {program}: {note}")
                if arguments.json_file:
                    results.write(arguments.json_file)


def lengths(recipe: Recipe, data_dir: Path) -> list[str]:
    """The flags that all programs have in common."""
    steps, batch_size = str(recipe.steps), str(recipe.batch_size)
    return ["--data-dir", str(data_dir.resolve()), "--steps", steps, "--batch-size", batch_size]


def mnistry_command(name: RecipeName, recipe: Recipe, data_dir: Path) -> list[str]:
    executable = shutil.which("mnistry", path=sysconfig.get_path("scripts"))
    if executable is None:
        raise SystemExit(f"mnistry is not installed for {sys.executable}")
    changes = {key: value for key, value in TUTORIAL.get(name, {}).items() if key != "steps"}
    flags = [text for key, value in changes.items() for text in (f"--{key.replace('_', '-')}", str(value))]
    return [executable, "train", name, "--json", "--runs", "runs", *lengths(recipe, data_dir), *flags]


def run_program(
    name: RecipeName, program: str, command: list[str], recipe: Recipe, caches: Path
) -> Run | Failure:
    """Runs a program in an empty folder and reads the JSON that is the last line of its output.

    What programs compile and keep is kept in `caches`.
    """
    kept = {"MNISTRY_CACHE": str(caches / "mnistry"), "TORCHINDUCTOR_CACHE_DIR": str(caches / "torch")}
    with tempfile.TemporaryDirectory() as folder:
        others = seconds_of_others()
        start = time.perf_counter()
        process = subprocess.run(command, cwd=folder, env=os.environ | kept, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        others_after = seconds_of_others()
    cpus_of_others = None if others is None or others_after is None else (others_after - others) / seconds
    last_lines = "\n".join(process.stderr.splitlines()[-8:])
    if process.returncode != 0:
        return Failure(name, program, f"exit status {process.returncode}\n{last_lines}")
    try:
        answer = json.loads(process.stdout.splitlines()[-1])
        train_seconds, accuracy = float(answer["train_seconds"]), float(answer["test"]["accuracy"])
        compiling = answer.get("compile_seconds")
        compile_seconds = None if compiling is None else float(compiling)
        steps = int(answer.get("steps", recipe.steps))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return Failure(
            name, program, f"the last line of output is not the JSON expected: {error!r}\n{last_lines}"
        )
    if steps != recipe.steps:
        return Failure(name, program, f"{steps} steps were run instead of {recipe.steps}")
    return Run(
        name,
        program,
        recipe.steps,
        recipe.batch_size,
        seconds,
        train_seconds,
        compile_seconds,
        accuracy,
        cpus_of_others,
    )


def seconds_of_others() -> float | None:
    """Processor time since the machine's start, less that of this process and the children it waited for."""
    try:
        user, nice, system, _idle, _wait, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    except FileNotFoundError:
        return None  # not Linux
    own = os.times()
    own_seconds = own.user + own.system + own.children_user + own.children_system
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK") - own_seconds


def measure_machine() -> dict[str, Any]:
    """The machine and its best rate of float32 matrix products, measured in a process of its own."""
    device, gflops_by_size = measured_rates()
    return {
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "python": platform.python_version(),
        "jax": version("jax"),
        "peers": REQUIREMENTS,
        "device": device,
        "gflops_by_size": gflops_by_size,
        "gflops": max(gflops_by_size.values()),
    }


def show(results: Results) -> None:
    machine = results.machine
    others = [run.cpus_of_others for run in results.runs if run.cpus_of_others is not None]
    disturbed = (
        f"other processes took up to {max(others):.2f} CPUs during a run"
        if others
        else "load by others unknown"
    )
    table = Table(
        title="Whole process, from its start to the test accuracy",
        caption=f"{results.fraction:.0%} of each recipe's steps; {machine['cpu_count']} CPUs, {disturbed}; "
        f"JAX on {machine['device']}; rate: arithmetic of the matrix products over the seconds of training, "
        f"as a share of this machine's {machine['gflops']:.0f} GFLOP/s. The median has all, compiling too; "
        "peers that tell no seconds of compiling build and trace in their first step, within training s",
    )
    for heading in ("recipe", "steps × batch", "program"):
        table.add_column(heading, no_wrap=True)
    for heading in (
        "runs",
        "median s",
        "min–max s",
        "× mnistry",
        "training s",
        "compile s",
        "accuracy",
        "rate",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    previous = None
    for row in results.rows():
        first = row["recipe"] != previous
        if first:
            table.add_section()
        table.add_row(
            row["recipe"] if first else "",
            f"{row['steps']:,} × {row['batch_size']}" if first else "",
            row["program"],
            str(row["runs"]),
            f"{row['seconds']:.2f}",
            f"{row['fastest']:.2f}–{row['slowest']:.2f}",
            f"{row['times_mnistry']:.2f}" if row["times_mnistry"] else "–",
            f"{row['train_seconds']:.2f}",
            "–" if row["compile_seconds"] is None else f"{row['compile_seconds']:.2f}",
            f"{row['accuracy']:.4f}",
            f"{row['share_of_machine']:.1%}",
        )
        previous = row["recipe"]
    # A terminal is as wide as it is; a file gets the table on whole lines.
    console = Console() if sys.stdout.isatty() else Console(width=150)
    console.print(table)
    for recipe, peer, times in against_the_best(results.rows()):
        console.print(f"{recipe}: the best peer, {peer}, takes {times:.2f} times as long", markup=False)
    for failure in results.failures:
        console.print(f"{failure.program} failed on {failure.recipe}:\n{failure.message}", markup=False)


def against_the_best(rows: list[dict[str, Any]]) -> list[tuple[str, str, float]]:
    """Recipe, its fastest peer, and how many times longer than mnistry that takes, where both have run."""
    best: dict[str, tuple[str, str, float]] = {}
    for row in rows:
        if row["program"] != "mnistry" and row["times_mnistry"] is not None:
            best.setdefault(row["recipe"], (row["recipe"], row["program"], row["times_mnistry"]))
    return list(best.values())


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
