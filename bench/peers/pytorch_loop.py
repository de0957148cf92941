"""The recipes as PyTorch tutorials write them: TensorDataset, DataLoader and a training loop."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from mnist_files import Mnist, without_validation
from program import main
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, StepLR
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, RandomSampler, TensorDataset


def softmax(mnist: Mnist, steps: int, batch_size: int) -> tuple[float, float]:
    model = zeros(nn.Linear(784, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    seconds = train(model, nn.CrossEntropyLoss(), optimizer, shuffled(mnist, steps, batch_size))
    return seconds, accuracy(model, mnist)


def softmax_sum(mnist: Mnist, steps: int, batch_size: int) -> tuple[float, float]:
    model = nn.Sequential(zeros(nn.Linear(784, 10)), nn.Softmax(dim=1))

    def summed_cross_entropy(probabilities: Tensor, labels: Tensor) -> Tensor:
        return -torch.log(probabilities.gather(1, labels[:, None]) + 1e-10).sum()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
    seconds = train(model, summed_cross_entropy, optimizer, shuffled(mnist, steps, batch_size))
    return seconds, accuracy(model, mnist)


def mlp(mnist: Mnist, steps: int, batch_size: int) -> tuple[float, float]:
    model = nn.Sequential(nn.Linear(784, 500), nn.ReLU(), nn.Linear(500, 10))
    for layer in (model[0], model[2]):
        nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2)
        nn.init.zeros_(layer.bias)
    # The gradient of 1e-4·Σ‖W‖²/2 is weight decay; biases have none.
    weights = [model[0].weight, model[2].weight]
    biases = [model[0].bias, model[2].bias]
    optimizer = torch.optim.SGD(
        [{"params": weights, "weight_decay": 1e-4}, {"params": biases}], lr=0.1, weight_decay=0
    )
    scheduler = StepLR(optimizer, step_size=275, gamma=0.99)

    def decayed(averaged: Tensor, current: Tensor, step: Tensor) -> Tensor:
        decay = min(0.99, (1 + int(step)) / (10 + int(step)))
        return torch.lerp(current, averaged, decay)

    averaged_model = AveragedModel(model, avg_fn=decayed)
    loss_function = nn.CrossEntropyLoss()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for step, (images, labels) in enumerate(shuffled(mnist, steps, batch_size), start=1):
            loss = loss_function(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            averaged_model.update_parameters(model)
            if step % 1_000 == 0:
                checkpoint = {
                    "step": step,
                    "model": model.state_dict(),
                    "average": averaged_model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "scheduler": scheduler.state_dict(),
                }
                torch.save(checkpoint, Path(folder) / f"step-{step}.pt")
                (Path(folder) / f"step-{step - 5_000}.pt").unlink(missing_ok=True)
    seconds = time.perf_counter() - start
    return seconds, accuracy(averaged_model, mnist)


def scratch(mnist: Mnist, steps: int, batch_size: int) -> tuple[float, float]:
    W1 = (torch.rand(784, 512) * 0.1).requires_grad_()
    b1 = torch.zeros(512, requires_grad=True)
    W2 = (torch.rand(512, 10) * 0.1).requires_grad_()
    b2 = torch.zeros(10, requires_grad=True)
    parameters = (W1, b1, W2, b2)

    def model(images: Tensor) -> Tensor:
        hidden = torch.relu(images @ W1 + b1)
        return torch.softmax(hidden @ W2 + b2, dim=1)

    def one_training_step(images: Tensor, labels: Tensor) -> None:
        true_class = model(images).gather(1, labels[:, None])
        loss = -torch.log(true_class.clamp(1e-7, 1 - 1e-7)).mean()
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= 1e-3 * gradient

    start = time.perf_counter()
    for images, labels in in_file_order(mnist, steps, batch_size):
        one_training_step(images, labels)
    seconds = time.perf_counter() - start
    with torch.inference_mode():
        predicted = model(torch.from_numpy(mnist.test_images)).argmax(dim=1)
    return seconds, share_right(predicted, mnist)


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


def lstm(mnist: Mnist, steps: int, batch_size: int) -> tuple[float, float]:
    model = LastHiddenState()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    seconds = train(model, nn.CrossEntropyLoss(), optimizer, shuffled(mnist, steps, batch_size))
    return seconds, accuracy(model, mnist)


def mlp_deep(mnist: Mnist, steps: int, batch_size: int) -> tuple[float, float]:
    model = nn.Sequential(
        nn.Linear(784, 512),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(512, 512),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(512, 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    seconds = train(model, nn.CrossEntropyLoss(), optimizer, shuffled(mnist, steps, batch_size))
    return seconds, accuracy(model, mnist)


def lenet5(mnist: Mnist, steps: int, batch_size: int) -> tuple[float, float]:
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
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    scheduler = CosineAnnealingLR(optimizer, T_max=steps)
    loader = shuffled(mnist, steps, batch_size)
    seconds = train(model, nn.CrossEntropyLoss(), optimizer, loader, scheduler)
    return seconds, accuracy(model, mnist)


def zeros(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


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


def train(
    model: nn.Module,
    loss_function: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: DataLoader,
    scheduler: LRScheduler | None = None,
) -> float:
    """One step a batch; returns the seconds that all took."""
    model.train()
    start = time.perf_counter()
    for images, labels in loader:
        loss = loss_function(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return time.perf_counter() - start


def accuracy(model: nn.Module, mnist: Mnist) -> float:
    model.eval()
    with torch.inference_mode():
        return share_right(model(torch.from_numpy(mnist.test_images)).argmax(dim=1), mnist)


def share_right(predicted: Tensor, mnist: Mnist) -> float:
    return (predicted == torch.from_numpy(mnist.test_labels)).double().mean().item()


if __name__ == "__main__":
    recipes = {
        "softmax": softmax,
        "softmax-sum": softmax_sum,
        "mlp": mlp,
        "scratch": scratch,
        "lstm": lstm,
        "mlp-deep": mlp_deep,
        "lenet5": lenet5,
    }
    main(recipes, __doc__)
