"""The recipes as PyTorch tutorials write them: TensorDataset, DataLoader and a training loop."""

from collections.abc import Iterator
from functools import partial

import torch
from mnist_files import Mnist, without_validation
from program import Outcome, main
from pytorch_recipes import RECIPES, train
from torch import Tensor
from torch.utils.data import DataLoader, RandomSampler, TensorDataset


def run(recipe: str, mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    training = RECIPES[recipe](steps, {})
    batches = in_file_order if training.in_file_order else shuffled
    return train(training, batches(mnist, steps, batch_size), mnist)


def shuffled(mnist: Mnist, steps: int, batch_size: int) -> DataLoader:
    """`steps` full batches; the sampler deals all digits in a new order each time it has run through them."""
    dataset = TensorDataset(*map(torch.from_numpy, without_validation(mnist)))
    sampler = RandomSampler(dataset, num_samples=steps * batch_size)
    return DataLoader(dataset, batch_size=batch_size, sampler=sampler)


def in_file_order(mnist: Mnist, steps: int, batch_size: int) -> Iterator[list[Tensor]]:
    """`steps` batches of all 60,000 digits as they come; the last batch of an epoch is short."""
    dataset = TensorDataset(torch.from_numpy(mnist.train_images), torch.from_numpy(mnist.train_labels))
    loader = DataLoader(dataset, batch_size=batch_size)
    while steps > 0:
        for batch in loader:
            yield batch
            steps -= 1
            if steps == 0:
                return


if __name__ == "__main__":
    main({name: partial(run, name) for name in RECIPES}, __doc__)
