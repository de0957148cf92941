"""The estimator keeps scikit-learn's contract, for any classes and sizes."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import check_estimator

from mnistry import DigitClassifier
from mnistry.errors import InvalidValueError, TrainingError, UnknownNameError
from mnistry.models import PerceptronConfig
from mnistry.recipes import RECIPES
from mnistry.training.loop import run_steps

X, Y = load_digits(return_X_y=True)
QUICK = replace(
    RECIPES["mlp-fast"],
    model=PerceptronConfig(hidden=(32,), initialization="he"),
    augmentation="none",
    label_smoothing=0.0,
    learning_rate=0.03,
    batch_size=32,
    steps=150,
)


@pytest.mark.parametrize(
    "model", [DigitClassifier(QUICK), pytest.param(DigitClassifier(), marks=pytest.mark.slow)]
)
def test_the_contract_of_estimators(model: DigitClassifier) -> None:
    """All that `check_estimator` asks but the check that needs SCIPY_ARRAY_API, for arrays of others."""
    results = check_estimator(model, on_skip=None)
    assert len(results) > 50
    others = {result["check_name"] for result in results if result["status"] != "passed"}
    assert others <= {"check_array_api_input"}


@pytest.fixture(scope="module")
def fitted() -> DigitClassifier:
    return DigitClassifier(QUICK, steps=60).fit(X[:900], Y[:900])


def test_it_learns_and_tells_how_it_went(fitted: DigitClassifier) -> None:
    assert fitted.score(X[900:], Y[900:]) > 0.85
    assert fitted.classes_.tolist() == list(range(10))
    assert fitted.n_features_in_ == 64
    assert fitted.pixel_range_ == (0, 16)
    assert fitted.loss_curve_.shape == (60,)
    assert fitted.loss_curve_[-10:].mean() < fitted.loss_curve_[:10].mean() / 2


def test_pickle_joblib_and_clone(fitted: DigitClassifier, tmp_path: Path) -> None:
    expected = fitted.predict_proba(X[900:910])
    joblib.dump(fitted, tmp_path / "model.joblib")
    for again in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(again.predict_proba(X[900:910]), expected)
    fresh = clone(fitted)
    assert not hasattr(fresh, "classifier_")
    np.testing.assert_array_equal(fresh.fit(X[:900], Y[:900]).predict_proba(X[900:910]), expected)


def test_more_classes_than_ten_with_names_and_pandas() -> None:
    names = np.array([f"{digit}{'ab'[half]}" for digit, half in zip(Y, np.arange(len(Y)) % 2, strict=True)])
    images = X.reshape(-1, 8, 8).copy()
    images[np.arange(len(Y)) % 2 == 1] = images[
        np.arange(len(Y)) % 2 == 1, :, ::-1
    ]  # mirrored: another class
    frame = pd.DataFrame(images.reshape(-1, 64), columns=[f"pixel{number}" for number in range(64)])
    model = DigitClassifier("softmax", steps=200).fit(frame[:1500], pd.Series(names[:1500]))
    assert len(model.classes_) == 20
    assert model.predict_proba(frame[1500:]).shape == (297, 20)
    assert list(model.feature_names_in_[:2]) == ["pixel0", "pixel1"]
    assert model.score(frame[1500:], names[1500:]) > 0.5  # one in twenty by chance


def test_pictures_of_any_square_and_pixels_of_any_range_are_the_same_to_it() -> None:
    """A constant factor and offset of all pixels change nothing; 28×28 is taken as it is."""
    large = np.kron(X[:300].reshape(-1, 8, 8), np.ones((4, 4)))[:, 2:-2, 2:-2]
    model = DigitClassifier("softmax", steps=5)
    first = model.fit(large, Y[:300]).predict_proba(large[:20])
    second = model.fit((large * 3 - 7)[..., None], Y[:300]).predict_proba((large * 3 - 7)[:20])
    np.testing.assert_allclose(first, second, atol=1e-6)
    np.testing.assert_array_equal(model._images(np.full((1, 784), -7)), np.zeros((1, 28, 28)))
    picture = np.arange(784).reshape(1, -1) % 17
    np.testing.assert_array_equal(
        model.fit(picture.repeat(2, axis=0), [0, 1])._images(picture)[0],
        np.rint(picture.reshape(28, 28) * 255 / 16),
    )


def test_sets_of_nearly_one_size_share_a_compiled_program(monkeypatch: pytest.MonkeyPatch) -> None:
    from mnistry.training import loop

    traced = []

    def counted(*arguments: Any, **named: Any) -> Any:
        traced.append(1)
        return run_steps(*arguments, **named)

    monkeypatch.setattr(loop, "run_steps", counted)
    loop.compiled_steps.cache_clear()
    for rows in (200, 333, 1000):
        DigitClassifier("softmax", steps=7).fit(X[:rows], Y[:rows])
    assert sum(traced) == 1
    loop.compiled_steps.cache_clear()


def test_only_the_rows_that_it_is_given_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    from mnistry.training import loop

    seen: list[np.ndarray] = []
    indices = loop.batch_indices

    def spied(*arguments: Any, **rest: Any) -> np.ndarray:
        seen.append(indices(*arguments, **rest))
        return seen[-1]

    monkeypatch.setattr(loop, "batch_indices", spied)
    DigitClassifier("softmax", steps=7, batch_size=30).fit(X[:70], Y[:70])
    rows = np.concatenate(seen).ravel()
    assert np.bincount(rows, minlength=70).tolist() == [3] * 70, "three whole epochs of 70 rows"


@pytest.mark.parametrize(
    ("model", "error", "said"),
    [
        (DigitClassifier("dasch"), UnknownNameError, "Did you mean 'dash'"),
        (DigitClassifier("reader"), InvalidValueError, "learns from pages"),
        (DigitClassifier("softmax", steps=0), InvalidValueError, "`steps` must be at least 1"),
        (DigitClassifier(QUICK, learning_rate=1e30), TrainingError, "Try a smaller `learning_rate`"),
    ],
)
def test_what_it_cannot_do(model: DigitClassifier, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        model.fit(X[:50], Y[:50])


def test_rows_that_are_no_pictures() -> None:
    with pytest.raises(InvalidValueError, match=r"as many features as a square picture has pixels.*3,072"):
        DigitClassifier("softmax").fit(np.zeros((4, 3072)), [0, 1, 0, 1])
    with pytest.raises(InvalidValueError, match="cannot have 11 classes"):
        DigitClassifier("classifier").fit(np.zeros((11, 784)), np.arange(11))
