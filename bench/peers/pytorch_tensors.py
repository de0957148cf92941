"""The recipes in PyTorch without a DataLoader: the images are one tensor, a batch is rows of it."""

from collections.abc import Iterator
from functools import partial

import torch
from mnist_files import Mnist, shuffled_rows, without_validation
from program import Outcome, main
from pytorch_recipes import RECIPES, train
from torch import Tensor


def run(recipe: str, mnist: Mnist, steps: int, batch_size: int, *, compiled: bool = False) -> Outcome:
    training = RECIPES[recipe](steps, {"fused": True})
    batches = in_file_order if training.in_file_order else shuffled
    return train(training, batches(mnist, steps, batch_size), mnist, compiled=compiled)


def shuffled(mnist: Mnist, steps: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    images, labels = map(torch.from_numpy, without_validation(mnist))
    for rows in torch.from_numpy(shuffled_rows(len(images), steps, batch_size)):
        yield images[rows], labels[rows]


def in_file_order(mnist: Mnist, steps: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    images, labels = torch.from_numpy(mnist.train_images), torch.from_numpy(mnist.train_labels)
    batches = list(zip(images.split(batch_size), labels.split(batch_size), strict=True))
    for step in range(steps):
        yield batches[step % len(batches)]


if __name__ == "__main__":
    main({name: partial(run, name) for name in RECIPES}, __doc__)
