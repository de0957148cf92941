"""A recipe: everything that decides what a training run computes, as one value.

What a recipe does not hold is what a run is given: the data set, the seed, and where to write.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import tyro
from tyro.conf import Suppress

from mnistry.data.catalog import OTHER_HANDS
from mnistry.errors import InvalidValueError, RunError, UnknownNameError
from mnistry.fields import check_fields
from mnistry.losses import LossName, OwnLoss, UndefinedLoss
from mnistry.models import (
    CommitteeConfig,
    ConvNetConfig,
    Detector,
    DetectorConfig,
    LeNet5Config,
    Model,
    ModelConfig,
    OwnModel,
    PageConfig,
    PerceptronConfig,
    PooledNetConfig,
    Reader,
    ReaderConfig,
    RowLstmConfig,
    ScratchConfig,
    SeparableNetConfig,
    SoftmaxConfig,
    Verifier,
    VerifierConfig,
)
from mnistry.models.own import UndefinedModel
from mnistry.optimizers import OptimizerName, ScheduleName
from mnistry.own import own_from_json

MODELS: dict[str, type[ModelConfig]] = {
    "softmax": SoftmaxConfig,
    "perceptron": PerceptronConfig,
    "scratch": ScratchConfig,
    "row-lstm": RowLstmConfig,
    "lenet5": LeNet5Config,
    "convnet": ConvNetConfig,
    "pooled-net": PooledNetConfig,
    "separable": SeparableNetConfig,
    "committee": CommitteeConfig,
    "detector": DetectorConfig,
    "verifier": VerifierConfig,
    "reader": ReaderConfig,
}


OWN = "own"
"""What stands in their place for models that derive from `OwnModel`."""


class Need(NamedTuple):
    """What a field needs to have an effect."""

    field: str
    """The other field."""
    suits: Callable[[Any], bool]
    """Whether a value of the other field will do."""
    expected: str
    """That in words."""


def _value(field: str, value: str) -> Need:
    return Need(field, lambda found: found == value, f"`{field}={value!r}`")


_SINGLE_IMAGES = Need(
    "model",
    lambda model: not isinstance(model, PageConfig),
    "a model of single images",
)

NEEDS = {
    "momentum": _value("optimizer", "momentum"),
    "decay_rate": _value("schedule", "staircase"),
    "decay_steps": _value("schedule", "staircase"),
    "gamma": _value("schedule", "inv"),
    "power": _value("schedule", "inv"),
    "shift": _value("augmentation", "affine"),
    "rotation": _value("augmentation", "affine"),
    "stretch": _value("augmentation", "affine"),
    "bend": _value("augmentation", "affine"),
    **dict.fromkeys(
        (
            "loss",
            "reduction",
            "label_smoothing",
            "l2_penalty",
            "order",
            "augmentation",
            "validation",
            "also",
            "devices",
        ),
        _SINGLE_IMAGES,
    ),
    "split": Need("validation", lambda found: found > 0, "`validation` above 0"),
}
"""The fields of a recipe that have an effect only where another one has a certain value."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which model, trained how, on what, and what it is expected to reach.

    Raises:
        InvalidValueError: a value is out of its range, of another type, or contradicts another.
        UnknownNameError: a name is none of those that the field knows.
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
    """How the learning rate changes: not at all, in stairs, along a cosine to zero, up and then down to
    zero, or as Caffe's policy `inv`, rate · (1 + gamma · step)^-power."""
    decay_rate: float = 0.99
    """Factor of one stair; for the schedule `staircase`."""
    decay_steps: int = 275
    """Steps on one stair; for the schedule `staircase`."""
    gamma: float = 1e-4
    """How fast the rate falls; for the schedule `inv`."""
    power: float = 0.75
    """How steeply it falls in the end; for the schedule `inv`."""
    loss: Annotated[LossName | OwnLoss, tyro.conf.arg(constructor=LossName)] = "cross-entropy"
    """Loss of one example; in Python also one of your own, see `mnistry.OwnLoss`."""
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
    """How strongly the image is bent: the standard deviation of how far a pixel is moved, in pixels."""
    validation: int | float = 1 / 12
    """Size of the validation part, cut from the training part: a count, or a fraction below 1."""
    split: Literal["first", "random", "writer"] = "first"
    """Which examples are for validation: the first ones, random ones, or those of random writers."""
    also: tuple[str, ...] = ()
    """Sets of digits by other people whose training parts are learnt from too, such as `pendigits`; they are
    found or fetched as named data sets are. Validation and test stay as they are."""
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
        check_fields(self)

        def require(name: str, valid: bool, expected: str) -> None:
            if not valid:
                raise InvalidValueError(f"`{name}` must be {expected}, not {getattr(self, name)}")

        counts = ("batch_size", "steps", "decay_steps", "log_every", "validate_every")
        for name in (*counts, "checkpoint_every", "keep_checkpoints", "devices"):
            require(name, getattr(self, name) >= 1, "at least 1")
        require("learning_rate", 0 < self.learning_rate < float("inf"), "above 0 and finite")
        require("momentum", 0 <= self.momentum < 1, "at least 0 and below 1")
        require("decay_rate", 0 < self.decay_rate <= 1, "above 0 and at most 1")
        for name in ("gamma", "power"):
            require(name, 0 <= getattr(self, name) < float("inf"), "at least 0 and finite")
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
        require(
            "shift",
            bool(self.shift == round(self.shift) or self.rotation or self.stretch or self.bend),
            "a whole number of pixels where images are only shifted",
        )
        require(
            "order",
            self.order == "shuffled" or self.augmentation != "paper",
            "shuffled for the augmentation paper, which does to an image what its place in the batch says",
        )
        for name in self.also:
            if name not in OTHER_HANDS:
                raise UnknownNameError("set of digits by other people", name, OTHER_HANDS)
        require("also", len(set(self.also)) == len(self.also), "names of which none is there twice")
        members = len(getattr(self.model, "members", ())) or 1
        require("batch_size", self.batch_size % members == 0, "a multiple of the number of members")

    @property
    def reads_pages(self) -> bool:
        """Whether the model learns from pages, which are drawn while it trains."""
        return isinstance(self.model, PageConfig)

    def untrained(self, random: np.random.Generator, classes: int) -> Model | Detector | Verifier | Reader:
        """The model with random weights; one that reads pages has no other classes."""
        if isinstance(self.model, PageConfig):
            return self.model.build(random)
        return self.model.build(random, classes)

    def changed(self, **changes: Any) -> "Recipe":
        """The recipe with other values.

        Args:
            **changes: fields and their values.

        Raises:
            UnknownNameError: there is no such field, or a name is none of those that the field knows.
            InvalidValueError: a value is not usable, or would have no effect; the message says what it needs.
        """
        names = [item.name for item in fields(self)]
        for name, value in changes.items():
            if name not in names and hasattr(self.model, name):
                meant = replace(self.model, **{name: value})
                raise InvalidValueError(f"`{name}` is a field of the recipe's model: give `model={meant!r}`")
            if name not in names:
                raise UnknownNameError("field of a recipe", name, names)
        recipe = replace(self, **changes)
        recipe.require_effect(changes)
        return recipe

    def require_effect(self, names: Iterable[str]) -> None:
        """Checks that none of these fields is without effect.

        Raises:
            InvalidValueError: one is, because another field has not the value that it needs.
        """
        for name in NEEDS.keys() & set(names):
            other, suits, expected = NEEDS[name]
            if not suits(getattr(self, other)):
                raise InvalidValueError(
                    f"`{name}={getattr(self, name)!r}` has no effect: it needs {expected}, and this recipe "
                    f"has `{other}={getattr(self, other)!r}`"
                )

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON values; `from_json` is the inverse."""
        if isinstance(self.model, OwnModel):
            model = {"kind": OWN, **self.model.to_json()}
        else:
            kind = next(name for name, config in MODELS.items() if isinstance(self.model, config))
            model = {"kind": kind, **asdict(self.model)}
        loss = self.loss.to_json() if isinstance(self.loss, OwnLoss) else self.loss
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return values | {"model": model, "loss": loss}

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Recipe":
        """Builds the recipe that `to_json` wrote.

        Raises:
            RunError: a field is unknown or missing.
        """
        try:
            values = dict(values)
            if isinstance(values.get("loss"), dict):
                values["loss"] = own_from_json(values["loss"], OwnLoss, UndefinedLoss)
            model = dict(values["model"])
            if (kind := model.pop("kind")) == OWN:
                return Recipe(**values | {"model": own_from_json(model, OwnModel, UndefinedModel)})
            config = MODELS[kind]
            if "members" in model:
                model["members"] = [ConvNetConfig(**member) for member in model["members"]]
            return Recipe(**values | {"model": config(**model)})
        except (KeyError, TypeError) as error:
            known = ", ".join(item.name for item in fields(Recipe))
            raise RunError(f"a recipe with the fields {known} was expected: {error}") from error
