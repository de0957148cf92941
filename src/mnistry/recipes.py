"""Recipes: everything that decides what a training run computes, as one value each.

A `Recipe` is a frozen dataclass; `RECIPES` is the table of them. `dataclasses.replace` or a flag of
`mnistry train` changes any field. What a recipe does not hold is what a run is given: the data set,
the seed, and where to write.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from tyro.conf import Suppress

from mnistry.errors import InvalidValueError, RunError, UnknownNameError
from mnistry.losses import LossName
from mnistry.models import (
    CommitteeConfig,
    ConvNetConfig,
    LeNet5Config,
    ModelConfig,
    PerceptronConfig,
    RowLstmConfig,
    ScratchConfig,
    SeparableNetConfig,
    SoftmaxConfig,
)
from mnistry.optimizers import OptimizerName, ScheduleName

MODELS: dict[str, type[ModelConfig]] = {
    "softmax": SoftmaxConfig,
    "perceptron": PerceptronConfig,
    "scratch": ScratchConfig,
    "row-lstm": RowLstmConfig,
    "lenet5": LeNet5Config,
    "convnet": ConvNetConfig,
    "separable": SeparableNetConfig,
    "committee": CommitteeConfig,
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which model, trained how, on what, and what it is expected to reach.

    Raises:
        InvalidValueError: a value is out of its range.
    """

    name: Suppress[str]
    """The recipe's name in the table."""
    summary: Suppress[str]
    """One line on what it is and where it comes from."""
    model: ModelConfig
    """The model and its initialization."""
    optimizer: OptimizerName
    """Update rule."""
    learning_rate: float
    """Learning rate at the first step."""
    momentum: float = 0.9
    """Share of the last update that is kept; for the optimizer `momentum`."""
    schedule: ScheduleName = "constant"
    """How the learning rate changes: not at all, in stairs, or along a cosine to zero."""
    decay_rate: float = 0.99
    """Factor of one stair; for the schedule `staircase`."""
    decay_steps: int = 275
    """Steps on one stair; for the schedule `staircase`."""
    loss: LossName = "cross-entropy"
    """Loss of one example."""
    reduction: Literal["mean", "sum"] = "mean"
    """How the losses of a batch become one number."""
    label_smoothing: float = 0.0
    """Share of each label that is spread evenly over all classes."""
    l2_penalty: float = 0.0
    """Factor of Σ‖W‖²/2 over the weight matrices, added to the loss."""
    averaging: float = 0.0
    """Largest decay of the moving average of the weights; 0 keeps no average."""
    half_precision: bool = False
    """Whether the finished weights are rounded to half precision, which halves `model.onnx`."""
    batch_size: int
    """Images a step."""
    steps: int
    """Updates of the weights."""
    order: Literal["shuffled", "file"] = "shuffled"
    """`shuffled`: a new order every epoch, batches running on across epochs; `file`: the data set's
    order, the last batch of an epoch shorter where the batch size does not divide it."""
    augmentation: Literal["none", "affine", "paper"] = "none"
    """What is done to each image before it is learnt from. `affine`: it is shifted, turned, stretched and
    bent; `paper`: other pens, slants and styles, and what is no digit; for models that know this class."""
    shift: float = 1.0
    """Largest shift, in pixels; for the augmentation `affine`, as are the next three."""
    rotation: float = 0.0
    """Largest turn, in degrees."""
    stretch: float = 0.0
    """Largest stretch of width and height, each by itself, and largest slant; a share."""
    bend: float = 0.0
    """How far places move apart from the rest; the standard deviation, in pixels."""
    validation: int | float = 1 / 12
    """Size of the validation part, cut from the training part: a count, or a fraction below 1."""
    split: Literal["first", "random", "writer"] = "first"
    """Which examples are for validation: the first ones, random ones, or those of random writers."""
    log_every: int = 50
    """Steps between two rows of metrics."""
    validate_every: int = 500
    """Steps between two measurements on the validation part."""
    checkpoint_every: int = 1000
    """Steps between two checkpoints."""
    keep_checkpoints: int = 5
    """Checkpoints kept, the newest ones."""
    devices: int = 1
    """Devices that share each batch; on a CPU, threads of computation of their own."""
    reaches: Suppress[tuple[float, float] | None] = None
    """Test accuracy on MNIST that is expected, from and to; of a tutorial, what its own program reaches."""

    def __post_init__(self) -> None:
        def require(name: str, valid: bool, expected: str) -> None:
            if not valid:
                raise InvalidValueError(f"{name} must be {expected}, not {getattr(self, name)}")

        counts = ("batch_size", "steps", "decay_steps", "log_every", "validate_every")
        for name in (*counts, "checkpoint_every", "keep_checkpoints", "devices"):
            require(name, getattr(self, name) >= 1, "at least 1")
        require("learning_rate", 0 < self.learning_rate < float("inf"), "above 0 and finite")
        require("momentum", 0 <= self.momentum < 1, "at least 0 and below 1")
        require("decay_rate", 0 < self.decay_rate <= 1, "above 0 and at most 1")
        require("l2_penalty", 0 <= self.l2_penalty < float("inf"), "at least 0 and finite")
        require("averaging", 0 <= self.averaging < 1, "at least 0 and below 1")
        require("validation", self.validation >= 0, "at least 0")
        require(
            "validation",
            isinstance(self.validation, int) or self.validation < 1,
            "a count of images, or a fraction below 1",
        )
        require("label_smoothing", 0 <= self.label_smoothing < 1, "at least 0 and below 1")
        for name in ("shift", "rotation", "stretch", "bend"):
            require(name, 0 <= getattr(self, name) < float("inf"), "at least 0 and finite")
        require(
            "augmentation",
            self.augmentation != "paper" or getattr(self.model, "no_digit", False),
            'none or affine for this model, which has no class "no digit" as reader has',
        )
        members = len(getattr(self.model, "members", ())) or 1
        require("batch_size", self.batch_size % members == 0, "a multiple of the number of members")

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON values; `from_json` is the inverse."""
        kind = next(name for name, config in MODELS.items() if isinstance(self.model, config))
        return asdict(self) | {"model": {"kind": kind, **asdict(self.model)}}

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Recipe":
        """Builds the recipe that `to_json` wrote.

        Raises:
            RunError: a field is unknown or missing.
        """
        try:
            model = dict(values["model"])
            config = MODELS[model.pop("kind")]
            if "members" in model:
                model["members"] = [ConvNetConfig(**_tupled(member)) for member in model["members"]]
            return Recipe(**_tupled(values) | {"model": config(**_tupled(model))})
        except (KeyError, TypeError) as error:
            known = ", ".join(item.name for item in fields(Recipe))
            raise RunError(f"a recipe with the fields {known} was expected: {error}") from error


def _tupled(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists where the dataclasses have tuples, which can be hashed."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


_FOUR_CONVOLUTIONS = ConvNetConfig(features=(32, 64, 128, 128), sizes=(4, 3, 3, 3), strides=(2, 1, 2, 1))

_MARATHON_NET = replace(_FOUR_CONVOLUTIONS, dropout=0.3)

_DASH = Recipe(
    name="dash",
    summary="99 % in seconds: three convolutions, two of them with a stride of two.",
    model=ConvNetConfig(),
    optimizer="adam",
    learning_rate=2e-2,
    schedule="triangular",
    label_smoothing=0.1,
    augmentation="affine",
    batch_size=128,
    steps=700,
    validate_every=700,
    reaches=(0.990, 1.0),
)

_MARATHON = replace(
    _DASH,
    name="marathon",
    summary="The net of mile for five minutes, on all images, shifted, turned, stretched and bent.",
    model=_MARATHON_NET,
    shift=2.0,
    rotation=15.0,
    stretch=0.2,
    bend=0.6,
    validation=0,
    steps=16_000,
    validate_every=2000,
    reaches=(0.996, 1.0),
)

_TABLE = (
    Recipe(
        name="softmax",
        summary='Softmax regression: "MNIST for ML beginners" of the TensorFlow 1 tutorials.',
        model=SoftmaxConfig(),
        optimizer="sgd",
        learning_rate=0.5,
        batch_size=100,
        steps=1000,
        reaches=(0.916, 0.919),
    ),
    Recipe(
        name="softmax-sum",
        summary="Softmax regression on the summed cross-entropy, log(y + 1e-10).",
        model=SoftmaxConfig(),
        optimizer="sgd",
        learning_rate=0.001,
        loss="probability-cross-entropy",
        reduction="sum",
        batch_size=64,
        steps=2000,
        reaches=(0.912, 0.913),
    ),
    Recipe(
        name="mlp",
        summary="784-500-10 with L2, a decaying learning rate and averaged weights: the textbooks' network.",
        model=PerceptronConfig(hidden=(500,)),
        optimizer="sgd",
        learning_rate=0.1,
        schedule="staircase",
        decay_rate=0.99,
        decay_steps=275,
        l2_penalty=1e-4,
        averaging=0.99,
        batch_size=200,
        steps=10_000,
        checkpoint_every=1000,
        keep_checkpoints=5,
        reaches=(0.977, 0.978),
    ),
    Recipe(
        name="scratch",
        summary="784-512-10 from arrays and a gradient only: ten epochs in file order.",
        model=ScratchConfig(hidden=512),
        optimizer="sgd",
        learning_rate=1e-3,
        loss="probability-cross-entropy",
        batch_size=128,
        steps=4690,
        order="file",
        validation=0,
        reaches=(0.81, 0.82),
    ),
    Recipe(
        name="lstm",
        summary="An LSTM of 150 units that reads the 28 rows one after the other.",
        model=RowLstmConfig(units=150),
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=128,
        steps=7813,
        validate_every=1000,
        devices=2,
        reaches=(0.986, 0.986),
    ),
    Recipe(
        name="mlp-deep",
        summary="784-512-512-10 with dropout and Adam: the network of Keras's mnist_mlp example.",
        model=PerceptronConfig(hidden=(512, 512), initialization="he", dropout=0.2),
        optimizer="adam",
        learning_rate=1e-3,
        schedule="cosine",
        batch_size=128,
        steps=4300,
    ),
    Recipe(
        name="mlp-fast",
        summary="784-500-10 as fast as it goes: Adam, a triangular rate, smoothed labels, shifted images.",
        model=PerceptronConfig(hidden=(500,), initialization="he"),
        optimizer="adam",
        learning_rate=4e-3,
        schedule="triangular",
        label_smoothing=0.1,
        augmentation="affine",
        batch_size=256,
        steps=800,
        validate_every=800,
        reaches=(0.980, 1.0),
    ),
    Recipe(
        name="lenet5",
        summary="LeNet-5 with ReLU and max-pooling.",
        model=LeNet5Config(),
        optimizer="adam",
        learning_rate=2e-3,
        schedule="cosine",
        batch_size=128,
        steps=4300,
        reaches=(0.990, 1.0),
    ),
    _DASH,
    replace(
        _DASH,
        name="mile",
        summary="99.5 % in under a minute: four convolutions, images shifted by a pixel.",
        model=_FOUR_CONVOLUTIONS,
        steps=1500,
        validate_every=500,
        reaches=(0.995, 1.0),
    ),
    _MARATHON,
    replace(
        _MARATHON,
        name="committee",
        summary="Three nets, two of marathon's and one that looks closer, that answer together.",
        model=CommitteeConfig(
            (
                _MARATHON_NET,
                _MARATHON_NET,
                ConvNetConfig(
                    features=(32, 64, 64, 128, 128), sizes=(3,) * 5, strides=(1, 2, 1, 2, 1), dropout=0.3
                ),
            )
        ),
        batch_size=384,
        steps=15_000,
        reaches=(0.996, 1.0),
    ),
    Recipe(
        name="tiny",
        summary="99 % with as few parameters as it takes: digits set upright, separable convolutions.",
        model=SeparableNetConfig(features=(9, 9, 10, 10, 10), upright=True),
        optimizer="adam",
        learning_rate=5e-2,
        schedule="triangular",
        averaging=0.999,
        augmentation="affine",
        batch_size=128,
        steps=20_000,
        validate_every=2500,
        reaches=(0.99, 1.0),
    ),
    Recipe(
        name="record",
        summary="Ten 3×3 convolutions without pooling, 150 epochs: a published record recipe, for a GPU.",
        model=ConvNetConfig(features=tuple(range(32, 177, 16)), sizes=(3,) * 10, strides=(1,) * 10),
        optimizer="adam",
        learning_rate=1e-3,
        schedule="staircase",
        decay_rate=0.98,
        decay_steps=500,
        averaging=0.999,
        augmentation="affine",
        shift=5.6,
        rotation=20.0,
        batch_size=120,
        steps=75_000,
        validation=0,
    ),
    Recipe(
        name="reader",
        summary='The model that reads pictures: a convolutional network that also knows "no digit".',
        model=ConvNetConfig(
            features=(48, 96, 96, 192), sizes=(5, 3, 3, 3), strides=(2, 1, 1, 2), no_digit=True
        ),
        optimizer="adam",
        learning_rate=5e-3,
        schedule="triangular",
        augmentation="paper",
        averaging=0.999,
        half_precision=True,
        batch_size=128,
        steps=60_000,
    ),
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _TABLE}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UnknownNameError: there is none; the message suggests the nearest.
    """
    if name not in RECIPES:
        raise UnknownNameError("recipe", name, RECIPES)
    return RECIPES[name]
