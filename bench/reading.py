"""How well, and how fast, are pictures read; against Tesseract and the way of OpenCV's samples?

    python bench/reading.py --pictures FOLDER --data-dir FOLDER [--json bench/results/reading.json]

FOLDER of pictures holds `single`, `pages` and `cheques`, each with a `labels.tsv` as `mnistry
evaluate-pictures` takes it, and `semeion.data`. Prints Markdown: a table of all sets and readers, how
often what is no digit is read as one, and speeds. MNIST's test digits and Semeion's are given to the
readers as pictures, 28×28 white on black and 16×16 black on white. Tesseract, in digit mode, reads the
whole of a set in one process; of large sets a sample, always the same, as it is slow.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro
from PIL import Image

import non_digits
from mnistry.atomic import write_text
from mnistry.data import Examples, load
from mnistry.errors import MnistryError
from mnistry.reading.batch import read_all
from mnistry.reading.measure import Answer, Labelled, Measured, measure, read_labels
from mnistry.reading.recognizer import Reading, Recognizer
from peers import tesseract
from peers.opencv_digits import OpenCvDigits

ReaderName = Literal["mnistry", "tesseract", "opencv"]
TITLES: dict[ReaderName, str] = {"mnistry": "mnistry", "tesseract": "Tesseract", "opencv": "OpenCV's samples"}
TESSERACT_SAMPLE = 500  # of larger sets
ALONE = 10  # pictures of each set that Tesseract reads in a process of their own, for the time
KEPT = 0.99  # of MNIST's test digits, by the threshold at which non-digits are counted
TURNS = 10


@dataclass(frozen=True)
class Arguments:
    pictures: Path
    """Folder of `single`, `pages`, `cheques` and `semeion.data`."""
    data_dir: Path
    """Folder with MNIST."""
    peers: tuple[Literal["tesseract", "opencv"], ...] = ("tesseract", "opencv")
    """What mnistry is compared with."""
    model: Path | None = None
    """A run folder or an exported ONNX file; by default the model that comes with mnistry."""
    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None
    """File for the figures."""


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    mnist = load("mnist", arguments.data_dir)
    recognizer = Recognizer.load(arguments.model)
    with tempfile.TemporaryDirectory() as folder:
        fonts = non_digits.make(Path(folder) / "non-digits", seed=0)
        non_digit_pictures = read_labels(Path(folder) / "non-digits")
        sets = {
            "single": read_labels(arguments.pictures / "single"),
            "pages": read_labels(arguments.pictures / "pages"),
            "cheques": read_labels(arguments.pictures / "cheques"),
            "Semeion": semeion(arguments.pictures / "semeion.data"),
            "MNIST test": as_pictures(mnist.test),
            "non-digits": non_digit_pictures,
        }
        rows: list[dict[str, Any]] = []
        names: tuple[ReaderName, ...] = ("mnistry", *arguments.peers)
        for name in names:
            read = reader(name, recognizer, mnist.train)
            for set_name, pictures in sets.items():
                rows.append({"reader": name, "set": set_name, **read(pictures)})
                say(f"{name}, {set_name}: exact {rows[-1]['exact_rate']:.4f}")
        results = {
            "machine": machine(arguments.peers),
            "sets": rows,
            "mnist_direct_accuracy": float(
                (recognizer.logits(mnist.test.images).argmax(axis=1) == mnist.test.labels).mean()
            ),
            "non_digits": {"fonts": fonts, **rejection(recognizer, mnist.test, non_digit_pictures)},
            "speed": speeds(recognizer, mnist.test, Path(folder), arguments.model),
        }
    print(report(results))
    if arguments.json_file:
        write_text(arguments.json_file, json.dumps(results, indent=1) + "\n")


def as_pictures(examples: Examples) -> tuple[Labelled, ...]:
    """Digits as arrays, white on black."""
    return tuple(
        Labelled(str(row), image, (str(label),))
        for row, (image, label) in enumerate(zip(examples.images, examples.labels, strict=True))
    )


def semeion(path: Path) -> tuple[Labelled, ...]:
    """Semeion's 1,593 scanned digits, 16×16 pixels black on white: 256 bits a row, then ten of the class."""
    rows = [line.replace(",", " ").split()[:266] for line in path.read_text().splitlines()]
    table = np.array([row for row in rows if row], float)
    images = (255 * (1 - table[:, :256])).astype(np.uint8).reshape(-1, 16, 16)
    labels = table[:, 256:].argmax(axis=1)
    return tuple(
        Labelled(str(row), image, (str(label),))
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    )


def reader(
    name: ReaderName, recognizer: Recognizer, train: Examples
) -> Callable[[Sequence[Labelled]], dict[str, Any]]:
    """What measures a reader on a set of pictures."""
    if name == "tesseract":
        return with_tesseract
    if name == "opencv":
        say("training the SVM of OpenCV's samples on MNIST's training digits")
        samples = OpenCvDigits(train.images, train.labels)
        return lambda pictures: figures_of(measure(samples, pictures))
    return lambda pictures: figures_of(measure(recognizer, pictures))


def with_tesseract(labelled: Sequence[Labelled]) -> dict[str, Any]:
    """Tesseract's row: the seconds are the process's over the number of pictures, and those of one alone."""
    if len(labelled) > TESSERACT_SAMPLE:
        chosen = np.random.default_rng(0).permutation(len(labelled))[:TESSERACT_SAMPLE]
        labelled = [labelled[i] for i in sorted(chosen)]
    lines, seconds = tesseract.read_all([one.picture for one in labelled])
    each = seconds / len(labelled)
    answers = [Answer(one, read, each) for one, read in zip(labelled, lines, strict=True)]
    alone = [tesseract.seconds_alone(one.picture) for one in labelled[:ALONE]]
    return {**figures_of(Measured(tuple(answers))), "median_seconds_alone": statistics.median(alone)}


def figures_of(measured: Measured) -> dict[str, Any]:
    """The figures of a set, with the median of the seconds a picture."""
    figures = measured.to_json()
    del figures["answers"]
    return {**figures, "median_seconds": statistics.median(answer.seconds for answer in measured.answers)}


def rejection(recognizer: Recognizer, test: Examples, pictures: Sequence[Labelled]) -> dict[str, Any]:
    """How often a digit is read where there is none, at the threshold that keeps 99 % of true digits.

    The threshold is the 1 % quantile of the confidences of MNIST's test digits, read as pictures; one that
    is not found has the confidence 0.
    """
    confidences = []
    for _, reading in read_all(recognizer, test.images, min_confidence=0):
        digits = reading.digits if isinstance(reading, Reading) else ()
        confidences.append(max((digit.confidence for digit in digits), default=0.0))
    threshold = float(np.quantile(confidences, 1 - KEPT, method="lower"))
    measured = measure(recognizer, pictures, min_confidence=threshold)
    return {
        "threshold": threshold,
        "kept": statistics.fmean(confidence >= threshold for confidence in confidences),
        "called_digit": 1 - measured.figures.exact_rate,
        "called_digit_by_kind": {kind: 1 - of.exact_rate for kind, of in measured.by_kind.items()},
    }


def speeds(recognizer: Recognizer, test: Examples, folder: Path, model: Path | None) -> dict[str, float]:
    """Seconds of a process, a page, and pictures and digits a second; each the median of several turns."""
    paths = [folder / f"{number}.png" for number in range(200)]
    for path, image in zip(paths, test.images, strict=False):
        Image.fromarray(255 - image).resize((500, 500), Image.Resampling.BICUBIC).save(path)
    page, lines = write_page(folder / "page.jpg", test)
    executable = shutil.which("mnistry", path=sysconfig.get_path("scripts")) or "mnistry"
    command = [executable, "read", str(paths[0]), *(["--model", str(model)] if model else [])]
    few = list(test.images[:1000])
    in_threads = Recognizer.load(model, threads=1)  # as `mnistry read FOLDER` does
    return {
        "process_seconds": seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)),
        "pictures_500_per_second": len(paths) / seconds(lambda: list(read_all(in_threads, paths)), 3),
        "pictures_28_per_second": len(few) / seconds(lambda: list(read_all(in_threads, few)), 3),
        "digits_per_second": len(test) / seconds(lambda: recognizer.logits(test.images), 5),
        "page_12_megapixels_seconds": seconds(lambda: recognizer.read(page), 5),
        "page_lines_right": measure(recognizer, [Labelled("page", page, lines)]).figures.lines_right,
    }


def write_page(path: Path, test: Examples) -> tuple[Path, tuple[str, ...]]:
    """A JPEG of 4000×3000 pixels with ten lines of twelve of MNIST's digits, and what they are."""
    page = np.full((3000, 4000), 235, np.float32)
    for number in range(120):
        line, place = divmod(number, 12)
        digit = Image.fromarray(test.images[number]).resize((224, 224), Image.Resampling.BICUBIC)
        page[150 + 275 * line :, 250 + 290 * place :][:224, :224] -= 0.8 * np.asarray(digit)
    Image.fromarray(page.astype(np.uint8)).save(path, quality=90)
    lines = test.labels[:120].reshape(10, 12)
    return path, tuple("".join(map(str, line)) for line in lines)


def seconds(action: Callable[[], object], turns: int = TURNS) -> float:
    """The median of several turns, after one that does not count."""
    action()
    taken = []
    for _ in range(turns):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def machine(peers: Sequence[ReaderName]) -> dict[str, Any]:
    """Where this was measured."""
    return {
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        **({"tesseract": tesseract.version()} if "tesseract" in peers else {}),
    }


def report(results: dict[str, Any]) -> str:
    """All figures as Markdown."""
    rows, rejected, speed = results["sets"], results["non_digits"], results["speed"]
    mnist = next(row for row in rows if (row["reader"], row["set"]) == ("mnistry", "MNIST test"))
    by_kind = ", ".join(f"{kind} {share:.1%}" for kind, share in rejected["called_digit_by_kind"].items())
    return f"""{set_table(rows)}

Exact: all lines as they are, or nothing read where there is no digit. Errors: character errors, as edit
distance over true characters. ms: median of a picture; Tesseract's mean in one process for all, and in
brackets the median of a process for each; its exactness on at most {TESSERACT_SAMPLE} pictures of a set.

MNIST test: the model alone {results["mnist_direct_accuracy"]:.2%}, from picture to digit
{mnist["exact_rate"]:.2%}; no digit found in {mnist["nothing_found"]}, `?` for {mnist["unknown"]}.

Non-digits at the threshold {rejected["threshold"]:.3f}, which keeps {rejected["kept"]:.1%} of MNIST's
test digits: {rejected["called_digit"]:.1%} are read as a digit ({by_kind}); letters of
{len(rejected["fonts"])} fonts.

| speed, {results["machine"]["cpu_count"]} cores | |
|---|---:|
| `mnistry read one.png`, whole process | {speed["process_seconds"]:.2f} s |
| pictures of 500×500, PNG files | {speed["pictures_500_per_second"]:,.0f} a second |
| pictures of 28×28, arrays | {speed["pictures_28_per_second"]:,.0f} a second |
| 28×28 digits, the model alone | {speed["digits_per_second"]:,.0f} a second |
| page of 12 megapixels with 120 digits | {speed["page_12_megapixels_seconds"]:.2f} s, \
{speed["page_lines_right"]} of 10 lines right |"""


def set_table(rows: Sequence[dict[str, Any]]) -> str:
    """A line a set, three columns a reader."""
    cells = {(row["set"], row["reader"]): row for row in rows}
    names, readers = dict.fromkeys(row["set"] for row in rows), dict.fromkeys(row["reader"] for row in rows)
    heading = "".join(f" {TITLES[reader]}: exact | errors | ms |" for reader in readers)
    lines = [f"| pictures |{heading}", "|---|" + "---:|" * 3 * len(readers)]
    for name in names:
        line = f"| {name} |"
        for reader in readers:
            row = cells[name, reader]
            errors = row["character_error_rate"]
            alone = f" ({1000 * row['median_seconds_alone']:.0f})" if "median_seconds_alone" in row else ""
            line += f" {row['exact_rate']:.1%} | {'–' if errors is None else f'{errors:.1%}'} |"
            line += f" {1000 * row['median_seconds']:.1f}{alone} |"
        lines.append(line)
    return "\n".join(lines)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except MnistryError as error:
        raise SystemExit(str(error)) from error
