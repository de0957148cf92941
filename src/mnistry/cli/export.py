"""`mnistry export`: a trained model as a file for somebody else."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from mnistry.cli.parsing import parsed
from mnistry.data.dataset import DIGITS
from mnistry.export.files import Format, export
from mnistry.export.metadata import LICENCE, NOT_STATED
from mnistry.training.command import origin
from mnistry.training.run import Run


@dataclass(frozen=True)
class Options:
    """Hand a trained model on, checked against the trained one on 1,000 images."""

    run: tyro.conf.Positional[Path]
    """The run folder."""
    to: Format
    """onnx: runs anywhere, MNIST's bytes in and logits out; safetensors, npz: the named weights."""
    output: Path | None = None
    """The file to write; by default the run folder's name with the format's ending, here."""
    licence: str = NOT_STATED
    """The licence of the weights, kept in the metadata of ONNX and safetensors, such as `CC-BY-4.0`."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry export` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry export")
    run = Run.open(options.run)
    model = run.model()
    path = options.output or Path(f"{options.run.resolve().name}.{options.to}")
    told = origin(run) | {LICENCE: options.licence}
    difference = export(model, options.to, path, run.figures.get("class_names", DIGITS), told)
    print(f"{path}: written; its logits differ by at most {difference:.2g} from the trained model's")
    return 0
