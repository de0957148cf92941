"""A recipe as a scikit-learn estimator: for pipelines, searches and cross-validation."""

import math
from dataclasses import dataclass
from typing import Any, Self

import cv2
import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from mnistry.data.dataset import CLASSES, SIDE
from mnistry.errors import InvalidValueError, TrainingError
from mnistry.export.agreement import checked_difference
from mnistry.export.onnx import to_onnx
from mnistry.logits import softmax
from mnistry.models import PageConfig
from mnistry.reading.classifier import Classifier
from mnistry.recipes import Recipe, find_recipe
from mnistry.training.devices import keep_compiled, make_mesh
from mnistry.training.folding import folding_batches, for_use
from mnistry.training.intervals import intervals
from mnistry.training.loop import image_steps
from mnistry.training.state import starting_from

FEWEST_ROWS = 1024  # what is compiled for so many rows serves all smaller sets
CHECKED_IMAGES = 1000
MOST_CLASSES = 2**15


@dataclass(frozen=True, eq=False)
class _Rows:
    """Images uint8 `[n, 28, 28]` and the numbers of their classes, uint16 `[n]`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.labels)


class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Trains a recipe on all that `fit` is given, in memory: no run folder is made.

    Rows are images: `n_features` is a square, such as 784 or 64, and squares of another size than 28×28 are
    scaled to it as they are, neither cropped nor centred. Fewer features than 784 that are no square are
    taken for the first pixels of the next larger square. The least and the greatest value of the training
    rows become paper (0) and the strongest ink (255); what is outside of them later is cut off.

    There may be any number of classes, of any labels. The labels' sorted order is that of `classes_`.

    Args:
        recipe: a recipe, or the name of one in `mnistry.recipes.RECIPES`.
        steps: updates of the weights, in place of the recipe's; so are the next two.
        batch_size: images a step.
        learning_rate: the learning rate at the first step.
        random_state: decides the initial weights, the order of examples and dropout; a number, a
            `numpy.random.RandomState`, or None for another one at each call of `fit`.

    Attributes:
        classes_: the labels, sorted.
        n_features_in_: pixels of a row.
        feature_names_in_: their names, where `fit` was given a DataFrame with names.
        pixel_range_: the values that became paper and the strongest ink.
        loss_curve_: the loss of each step's batch, float32 `[steps]`.
        classifier_: the trained model, by which it predicts; its logits past the last class mean nothing.

    Examples:
        >>> from sklearn.datasets import load_digits
        >>> X, y = load_digits(return_X_y=True)
        >>> model = DigitClassifier("softmax", steps=100).fit(X[:1500], y[:1500])
        >>> model.score(X[1500:], y[1500:]) > 0.8
        True
    """

    def __init__(
        self,
        recipe: str | Recipe = "dash",
        *,
        steps: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        random_state: Any = 0,
    ) -> None:
        self.recipe = recipe
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Trains on all rows.

        Args:
            X: numbers `[n, n_features]`, or images `[n, height, width]`.
            y: labels `[n]`: numbers, text, or truth values.

        Raises:
            ValueError: rows and labels that do not fit each other, or are not finite.
            InvalidValueError: values that the recipe does not take, or a shape that is no image.
            TrainingError: the loss is not finite.
        """
        recipe = self._recipe()
        values, y = validate_data(self, _in_rows(X), y, dtype="numeric")
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        classes = max(CLASSES, len(self.classes_))
        if classes > MOST_CLASSES or (classes > CLASSES and getattr(recipe.model, "no_digit", False)):
            raise InvalidValueError(f"the recipe {recipe.name} cannot have {len(self.classes_):,} classes")
        self.pixel_range_ = (float(values.min()), float(values.max()))
        rows = _Rows(self._images(values), labels.astype(np.uint16))
        self._train(recipe, rows, classes)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The label of each row, `[n]`."""
        check_is_fitted(self)
        labels: NDArray[Any] = self.classes_[self._logits(X).argmax(axis=1)]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """The probability of each class, float64 `[n, n_classes]`, in the order of `classes_`."""
        check_is_fitted(self)
        return softmax(self._logits(X))

    def _recipe(self) -> Recipe:
        recipe = find_recipe(self.recipe) if isinstance(self.recipe, str) else self.recipe
        given = {name: getattr(self, name) for name in ("steps", "batch_size", "learning_rate")}
        return recipe.changed(**{name: value for name, value in given.items() if value is not None})

    def _train(self, recipe: Recipe, rows: _Rows, classes: int) -> None:
        if isinstance(recipe.model, PageConfig):
            raise InvalidValueError(f"{recipe.name} learns from pages, and not from single images")
        seed = int(check_random_state(self.random_state).randint(2**31))
        keep_compiled()
        mesh = make_mesh(recipe, warn=lambda note: None)
        padded = _padded(rows)
        model = recipe.model.build(np.random.default_rng(seed), classes)
        state = starting_from(recipe, model, jax.random.key_data(jax.random.key(seed)))
        state = jax.device_put(state, NamedSharding(mesh, PartitionSpec()))
        run_steps_of = image_steps(recipe, padded, mesh, seed=seed, known=len(rows))
        losses = []
        for interval in intervals(recipe, 0):
            state, found = run_steps_of(state, interval.first, len(interval))
            losses.append(found)
            if not np.isfinite(found).all():
                raise TrainingError(
                    f"the loss is not finite before step {interval.last:,}. Try a smaller `learning_rate`"
                )
        self.loss_curve_ = np.concatenate(losses)
        folded = for_use(recipe, state.final_model, folding_batches(recipe, padded))
        self.classifier_ = Classifier(to_onnx(folded))
        checked = padded.images[:CHECKED_IMAGES]
        checked_difference(folded, checked, self.classifier_.all_logits(checked), "the ONNX model")

    def _logits(self, X: ArrayLike) -> NDArray[np.float32]:
        images = self._images(validate_data(self, _in_rows(X), reset=False, dtype="numeric"))
        return self.classifier_.all_logits(images)[:, : len(self.classes_)]

    def _images(self, X: NDArray[Any]) -> NDArray[np.uint8]:
        """Rows as images, uint8 `[n, 28, 28]`."""
        low, high = self.pixel_range_
        side = math.isqrt(X.shape[1] - 1) + 1
        if side**2 != X.shape[1] and side > SIDE:
            raise InvalidValueError(
                "X: expected as many features as a square picture has pixels, such as 784, found "
                f"{X.shape[1]:,}"
            )
        scale = 255 / (high - low) if high > low else 0.0
        images = np.empty((len(X), SIDE, SIDE), np.uint8)
        pixels = np.zeros(side**2, np.float32)
        for row, values in enumerate(X):
            pixels[: len(values)] = ((values - low) * scale).clip(0, 255)
            images[row] = _at_size(pixels.reshape(side, side), whole=side**2 == X.shape[1])
        return images


def _in_rows(X: Any) -> Any:
    """Images `[n, height, width]` or `[n, height, width, 1]` as rows; all else as it is."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) == 3 or (len(shape) == 4 and shape[3] == 1):
        return np.asarray(X).reshape(len(X), -1)
    return X


def _at_size(picture: NDArray[np.float32], *, whole: bool) -> NDArray[np.uint8]:
    """A square picture as 28×28; what is no whole square is not blended with its neighbours."""
    if len(picture) != SIDE:
        smooth = cv2.INTER_AREA if len(picture) > SIDE else cv2.INTER_LINEAR
        picture = np.asarray(
            cv2.resize(picture, (SIDE, SIDE), interpolation=smooth if whole else cv2.INTER_NEAREST),
            np.float32,
        )
    return np.rint(picture).astype(np.uint8)


def _padded(rows: _Rows) -> _Rows:
    """The rows, repeated up to a power of two, so that sets of nearly one size share what is compiled."""
    size = max(FEWEST_ROWS, 2 ** math.ceil(math.log2(len(rows))))
    repeated = np.arange(size) % len(rows)
    return _Rows(rows.images[repeated], rows.labels[repeated])
