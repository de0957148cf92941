"""How well, and how fast, are pictures read; against Tesseract, OpenCV's samples and RapidOCR?

    python bench/reading.py --pictures FOLDER --data-dir FOLDER [--json bench/results/reading.json]
        [--model MODEL] [--only SET ...] [--limit N] [--sheets FOLDER] [--speed]

FOLDER of pictures holds `single`, `pages`, `documents`, `photo-strings` and `cheques`, each with a
`labels.tsv` as `mnistry evaluate-pictures` takes it, `semeion.data`, and maybe `forms`. MNIST's test digits
and Semeion's are given to the readers as pictures, 28×28 white on black and 16×16 black on white; pictures of
no digit, and pages disturbed in twenty ways, are drawn, always the same. Peers read a sample of large sets,
always the same, and no disturbed pages.

Prints Markdown. With `--json`, single results are kept there after each set, and a set is measured again
only if its pictures, the reader's model or the code that reads have changed, so that a run that was stopped
goes on.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

import reading_speed
from mnistry import atomic
from mnistry.cli.evaluate_pictures import MOST_ON_SHEET, draw_wrong
from mnistry.data import Examples
from mnistry.errors import InvalidValueError, MnistryError
from mnistry.reading.labels import Labelled
from mnistry.reading.measure import Answer
from picture_sets import SETS, SetName, Sets, digest_of_pictures, some_of_each_kind
from readers import Mnistry, OpenCv, RapidOcr, SetRead, SetReader, Tesseract
from reading_figures import by_row, losses, rejection, row_figures
from reading_report import report
from reading_results import Key, Results, answers_of

PeerName = Literal["tesseract", "opencv", "rapidocr"]


@dataclass(frozen=True)
class Arguments:
    pictures: Path
    """Folder of the sets of pictures."""
    data_dir: Path
    """Folder with MNIST."""
    handwriting: Path | None = None
    """Folder of handwriting, for letters and words; by default `handwriting` in the folder of data."""
    peers: tuple[PeerName, ...] = ("tesseract", "opencv", "rapidocr")
    """What mnistry is compared with; none are named by `--peers` alone."""
    model: Path | None = None
    """A run folder or an exported ONNX file, of a classifier or a detector; by default those of mnistry."""
    only: tuple[SetName, ...] = SETS
    """Sets that are measured; by default all."""
    limit: int | None = None
    """Read so many pictures of each kind only, for a quick look."""
    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None
    """File for the figures and single results; those of a look with a limit stand beside the others."""
    sheets: Path | None = None
    """Folder for a PNG file for each reader and set that shows what was read wrong."""
    speed: bool = False
    """Measure the speed of mnistry too; with a limit, roughly."""


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    if arguments.limit is not None and arguments.limit < 1:
        raise InvalidValueError(f"limit: expected at least 1, found {arguments.limit}")
    with tempfile.TemporaryDirectory() as folder:
        sets = Sets(arguments.pictures, arguments.data_dir, arguments.handwriting, Path(folder))
        results = Results.load(arguments.json_file)
        figures = Measurement(arguments, sets, results).run()
        if arguments.speed:
            results.speed = reading_speed.speeds(
                sets.mnist.test,
                Path(folder),
                arguments.model,
                quick=arguments.limit is not None,
            )
        results.save(figures)
    print(report(figures))
    if arguments.speed and results.speed:
        print(f"\n{reading_speed.table(results.speed)}")


@dataclass(frozen=True)
class Measurement:
    """All readers on all sets."""

    arguments: Arguments
    sets: Sets
    results: Results

    def run(self) -> dict[str, Any]:
        """Measures what is not yet known, and gives the figures of all as JSON values."""
        figures: dict[str, Any] = {
            "machine": machine(),
            "limit": self.arguments.limit,
            "rows": [],
            "non_digits": {},
            "disturbed": {},
        }
        readers = self.readers()
        confidences: dict[tuple[str, SetName], tuple[list[str], list[float | None]]] = {}
        for set_name in self.arguments.only:
            if not self.sets.has(set_name):
                say(f"{set_name}: there is no such folder of pictures, so it is not measured")
                continue
            pictures = self.sets.read(set_name)
            if self.arguments.limit:
                pictures = some_of_each_kind(pictures, self.arguments.limit)
            for name, reader in readers.items():
                if set_name == "disturbed" and name in self.arguments.peers:
                    continue
                chosen = sample(pictures, reader.most)
                answers, read = self.measured(
                    Key(name, set_name, self.arguments.limit), reader, chosen, figures
                )
                self.draw(name, set_name, answers)
                confidences[name, set_name] = (
                    [answer.labelled.kind for answer in answers],
                    [one.confidence for one in read.reads],
                )
                if set_name == "disturbed":
                    figures["disturbed"][name] = losses(answers)
                    continue
                for title, found in by_row(set_name, answers).items():
                    row = {"reader": name, "row": title, **row_figures(found), "megabytes": read.megabytes}
                    figures["rows"].append(row)
        for name in readers:
            _, digits = confidences.get((name, "mnist"), ([], []))
            kinds, others = confidences.get((name, "non-digits"), ([], []))
            if digits and others and None not in digits:
                figures["non_digits"][name] = rejection(
                    [one or 0.0 for one in digits], [one or 0.0 for one in others], kinds
                )
        return figures

    def readers(self) -> dict[str, SetReader]:
        """The readers by name."""
        peers: dict[PeerName, Callable[[], SetReader]] = {
            "tesseract": Tesseract,
            "opencv": partial(OpenCv, self._train),
            "rapidocr": RapidOcr,
        }
        ours: dict[str, SetReader] = {"mnistry": Mnistry(self.arguments.model)}
        return ours | {name: peers[name]() for name in self.arguments.peers}

    def _train(self) -> Examples:
        return self.sets.mnist.train

    def measured(
        self, key: Key, reader: SetReader, pictures: Sequence[Labelled], figures: dict[str, Any]
    ) -> tuple[tuple[Answer, ...], SetRead]:
        """What was read of a set: what is known of it, or what is measured now and kept."""
        digest = digest_of_pictures(pictures)
        read = self.results.find(key, reader.digest, digest)
        if read:
            say(f"{key}: known")
            return answers_of(pictures, read), read
        say(f"{key}: {len(pictures):,} pictures")
        read = reader.read(pictures)
        answers = answers_of(pictures, read)
        self.results.keep(key, reader.digest, digest, answers, read)
        self.results.save(figures)
        return answers, read

    def draw(self, name: str, set_name: SetName, answers: Sequence[Answer]) -> None:
        """Draws what was read wrong."""
        wrong = [answer for answer in answers if not answer.exact]
        if self.arguments.sheets and wrong:
            self.arguments.sheets.mkdir(parents=True, exist_ok=True)
            path = self.arguments.sheets / f"{name}-{set_name}.png"
            with atomic.replacing(path) as file:
                draw_wrong(wrong[:MOST_ON_SHEET]).save(file, format="png")
            say(f"{path}: {min(len(wrong), MOST_ON_SHEET)} of {len(wrong)} pictures that were read wrong")


def sample(pictures: Sequence[Labelled], most: int | None) -> Sequence[Labelled]:
    """All pictures, or of more than `most` a sample, always the same."""
    if most is None or len(pictures) <= most:
        return pictures
    chosen = np.random.default_rng(0).permutation(len(pictures))[:most]
    return [pictures[number] for number in sorted(chosen)]


def machine() -> dict[str, Any]:
    """Where this was measured."""
    return {
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except MnistryError as error:
        raise SystemExit(str(error)) from error
