"""Training: recipes in, run folders out. `loop.py` is the page to read first."""

from mnistry.training.interruption import Interrupted
from mnistry.training.loop import resume, train
from mnistry.training.progress import TrainingProgress
from mnistry.training.run import Run
from mnistry.training.trainer import Trainer

__all__ = ["Interrupted", "Run", "Trainer", "TrainingProgress", "resume", "train"]
