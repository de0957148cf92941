"""Data sets of 28×28 images in ten classes: named ones, and your own."""

from mnistry.data.dataset import Dataset, Examples
from mnistry.data.loading import load

__all__ = ["Dataset", "Examples", "load"]
