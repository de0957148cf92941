"""The recipes in PyTorch: networks, losses, optimizers, steps. How batches come is each program's matter."""

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mnist_files import Mnist
from program import Outcome
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, StepLR
from torch.optim.swa_utils import AveragedModel


class Training(NamedTuple):
    """A network before its first step, and how it learns."""

    model: nn.Module
    loss_function: Callable[[Tensor, Tensor], Tensor]
    optimizer: torch.optim.Optimizer
    scheduler: LRScheduler | None = None
    average: AveragedModel | None = None
    """Tested in place of the model."""
    save_every: int | None = None
    in_file_order: bool = False
    """Batches of all 60,000 digits as they come; the last of an epoch is short."""


# A recipe is given its number of steps, and options for the optimizer.
Recipe = Callable[[int, dict[str, Any]], Training]


def softmax(steps: int, options: dict[str, Any]) -> Training:
    model = zeros(nn.Linear(784, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, **options)
    return Training(model, nn.CrossEntropyLoss(), optimizer)


def softmax_sum(steps: int, options: dict[str, Any]) -> Training:
    model = nn.Sequential(zeros(nn.Linear(784, 10)), nn.Softmax(dim=1))

    def summed_cross_entropy(probabilities: Tensor, labels: Tensor) -> Tensor:
        return -torch.log(probabilities.gather(1, labels[:, None]) + 1e-10).sum()

    return Training(model, summed_cross_entropy, torch.optim.SGD(model.parameters(), lr=0.001, **options))


def mlp(steps: int, options: dict[str, Any]) -> Training:
    model = nn.Sequential(nn.Linear(784, 500), nn.ReLU(), nn.Linear(500, 10))
    for layer in (model[0], model[2]):
        nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2)
        nn.init.zeros_(layer.bias)
    # The gradient of 1e-4·Σ‖W‖²/2 is weight decay; biases have none.
    weights = {"params": [model[0].weight, model[2].weight], "weight_decay": 1e-4}
    biases = {"params": [model[0].bias, model[2].bias]}
    optimizer = torch.optim.SGD([weights, biases], lr=0.1, weight_decay=0, **options)

    def decayed(averaged: Sequence[Tensor], current: Sequence[Tensor], step: Tensor) -> None:
        decay = min(0.99, (1 + int(step)) / (10 + int(step)))
        torch._foreach_lerp_(averaged, current, 1 - decay)

    return Training(
        model,
        nn.CrossEntropyLoss(),
        optimizer,
        StepLR(optimizer, step_size=275, gamma=0.99),
        AveragedModel(model, multi_avg_fn=decayed),
        save_every=1_000,
    )


def scratch(steps: int, options: dict[str, Any]) -> Training:
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10), nn.Softmax(dim=1))
    for layer in (model[0], model[2]):
        nn.init.uniform_(layer.weight, 0, 0.1)
        nn.init.zeros_(layer.bias)

    def cross_entropy(probabilities: Tensor, labels: Tensor) -> Tensor:
        true_class = probabilities.gather(1, labels[:, None])
        return -torch.log(true_class.clamp(1e-7, 1 - 1e-7)).mean()

    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, **options)
    return Training(model, cross_entropy, optimizer, in_file_order=True)


class LastHiddenState(nn.Module):
    """Reads a digit row by row with an LSTM and classifies the last hidden state."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(input_size=28, hidden_size=150, batch_first=True)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[150:300] = 1  # the gates' order is input, forget, cell, output
        self.output = nn.Linear(150, 10)
        nn.init.normal_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, images: Tensor) -> Tensor:
        _, (last_hidden, _) = self.lstm(images.view(-1, 28, 28))
        return self.output(last_hidden[0])


def lstm(steps: int, options: dict[str, Any]) -> Training:
    model = LastHiddenState()
    return Training(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3, **options))


def mlp_deep(steps: int, options: dict[str, Any]) -> Training:
    model = nn.Sequential(
        nn.Linear(784, 512),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(512, 512),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(512, 10),
    )
    return Training(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3, **options))


def lenet5(steps: int, options: dict[str, Any]) -> Training:
    model = nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **options)
    return Training(model, nn.CrossEntropyLoss(), optimizer, CosineAnnealingLR(optimizer, T_max=steps))


RECIPES: dict[str, Recipe] = {
    "softmax": softmax,
    "softmax-sum": softmax_sum,
    "mlp": mlp,
    "scratch": scratch,
    "lstm": lstm,
    "mlp-deep": mlp_deep,
    "lenet5": lenet5,
}


def zeros(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def train(
    training: Training, batches: Iterable[Sequence[Tensor]], mnist: Mnist, *, compiled: bool = False
) -> Outcome:
    """One step a batch, then the test.

    If `compiled`, the network, its loss and their gradients are; the first step with each size of batch is
    then told as compilation.
    """
    model, loss_function, optimizer, scheduler, average, save_every, _ = training

    def loss_of(images: Tensor, labels: Tensor) -> Tensor:
        return loss_function(model(images), labels)

    if compiled:
        loss_of = torch.compile(loss_of, dynamic=False)
    sizes = set[int]()
    compile_seconds = 0.0
    model.train()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        for step, (images, labels) in enumerate(batches, start=1):
            begin = time.perf_counter()
            loss = loss_of(images, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if average is not None:
                average.update_parameters(model)
            if save_every and step % save_every == 0:
                save(training, step, Path(folder))
            if len(images) not in sizes:
                sizes.add(len(images))
                compile_seconds += time.perf_counter() - begin
        seconds = time.perf_counter() - start
    accuracy = share_right(average or model, mnist)
    if compiled:
        return Outcome(seconds - compile_seconds, accuracy, compile_seconds)
    return Outcome(seconds, accuracy)


def save(training: Training, step: int, folder: Path) -> None:
    """A checkpoint; the newest five are kept."""
    parts = training._asdict()
    names = ("model", "average", "optimizer", "scheduler")
    states = {name: parts[name].state_dict() for name in names if parts[name] is not None}
    torch.save({"step": step} | states, folder / f"step-{step}.pt")
    (folder / f"step-{step - 5 * training.save_every}.pt").unlink(missing_ok=True)


def share_right(model: nn.Module, mnist: Mnist) -> float:
    model.eval()
    with torch.inference_mode():
        predicted = model(torch.from_numpy(mnist.test_images)).argmax(dim=1)
        return (predicted == torch.from_numpy(mnist.test_labels)).double().mean().item()
