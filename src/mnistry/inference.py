"""What a trained model says of images that are given as arrays, and how often that is right.

A model is a run, the path of a run folder or of an ONNX file, a classifier, or `"shipped"`, the model that
comes with mnistry. Nothing here needs what training needs.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.classes import relabelled
from mnistry.data.dataset import DIGITS, Dataset, Examples
from mnistry.data.in_memory import Given, examples_of, from_values, images_of
from mnistry.datasets import load
from mnistry.errors import DataError, InvalidValueError
from mnistry.evaluation.metrics import Evaluation
from mnistry.logits import softmax
from mnistry.reading.classifier import Classifier
from mnistry.runs import RunFolder, read_run

SHIPPED = "shipped"
Model = RunFolder | Classifier | Path | str


def classifier_of(model: Model) -> Classifier:
    """The classifier that a model is used by.

    Raises:
        RunError: there is no such file or folder, or it holds no usable model.
    """
    if isinstance(model, Classifier):
        return model
    if (run := _run_of(model)) is not None and run.without_onnx:
        from mnistry.training.run import Run

        return Run.open(run.path).classifier()
    if isinstance(model, RunFolder):
        return Classifier.load(model.path)
    return Classifier.load(None if model == SHIPPED else model)


def predict(model: Model, images: Any, *, full_scale: float | None = None) -> NDArray[Any]:
    """The class of each image: a digit, int64 `[n]`, or where the classes have names, its name, str `[n]`.

    Args:
        model: a run, a path, a classifier, or `"shipped"`.
        images: `[n, 28, 28]`, `[n, 28, 28, 1]` or `[n, 784]`, 0 is paper; numbers from 0 to 255, or
            from 0 to 1.
        full_scale: the pixel value of the strongest ink, if it is neither 255 nor, where none is above it, 1.

    Raises:
        RunError: there is no such model.
        DataError: images of another form.

    >>> predict("shipped", load("optdigits").test.images[:5]).tolist()
    [2, 3, 4, 5, 6]
    """
    classifier = classifier_of(model)
    found = classifier.logits(images_of(images, full_scale=full_scale)).argmax(axis=1)
    names = np.arange(len(DIGITS)) if classifier.class_names == DIGITS else np.array(classifier.class_names)
    named: NDArray[Any] = names[found]
    return named


def predict_proba(model: Model, images: Any, *, full_scale: float | None = None) -> NDArray[np.float64]:
    """The probabilities of the classes, float64 `[n, classes]`; arguments and errors as of `predict`."""
    return softmax(classifier_of(model).logits(images_of(images, full_scale=full_scale)))


def evaluate(
    model: Model, data: Given | str | Path | None = None, *, full_scale: float | None = None
) -> Evaluation:
    """Measures a trained model.

    Args:
        model: as of `predict`.
        data: examples or `(X, y)`, all of which are measured, unless they are the very arrays that the run
            was trained with: then the part that it kept for the test. Of a data set, be it given, named or
            a path, its test part. Nothing for the run's own data.
        full_scale: as of `predict`.

    Raises:
        RunError: there is no such model; or a run that was trained on arrays is not given these.
        DataError: the data are of another form, or of classes that the model does not know.

    >>> evaluate("shipped", load("optdigits")).accuracy > 0.9
    True
    """
    classifier = classifier_of(model)
    examples, names = _measured(model, data, full_scale)
    examples, _, _ = in_classes_of(classifier, examples, names)
    return Evaluation.of(classifier.logits(examples.images), examples.labels)


def _measured(
    model: Model, data: Given | str | Path | None, full_scale: float | None
) -> tuple[Examples, tuple[str, ...]]:
    """The examples to measure a model on, and what their classes are called."""
    run = _run_of(model)
    if data is None:
        if run is None:
            raise InvalidValueError("`data` is missing: what should the model be measured on?")
        dataset = run.load_data()
    elif isinstance(data, str | Path | Dataset):
        dataset = load(data, full_scale=full_scale)
    elif run is not None and run.data_shapes and (same := run.same_data(from_values(data, run.image_form))):
        dataset = same
    elif isinstance(data, tuple) and all(isinstance(pair, tuple) for pair in data):
        dataset = load(data, full_scale=full_scale)
    else:
        examples, names, _ = examples_of(data, full_scale=full_scale)
        if not len(examples):
            raise DataError("(X, y): there are no images to measure the model on")
        return examples, names
    return dataset.test, dataset.class_names


def _run_of(model: Model) -> RunFolder | None:
    if isinstance(model, RunFolder):
        return model
    if isinstance(model, Classifier) or not Path(model).is_dir():
        return None
    return read_run(model)


def in_classes_of(
    classifier: Classifier, examples: Examples, own: tuple[str, ...]
) -> tuple[Examples, tuple[str, ...], str | None]:
    """The examples, with labels in the order of the model's classes; the names of these classes; a note.

    Where one side has no names but the digits, labels are compared by number, and the note says so.

    Args:
        classifier: the model.
        examples: the examples.
        own: what their classes are called.

    Raises:
        DataError: a class of the examples is none of the model's.
    """
    models = classifier.class_names
    if own != models and DIGITS not in (own, models):
        return relabelled(examples, own, models), models, None
    if own != models:
        names, whose = (own, "the data's") if models == DIGITS else (models, "the model's")
        told = f"only {whose} classes have names ({', '.join(names)}): labels are compared by number"
        return examples, names, told
    return examples, own, None
