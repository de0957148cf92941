"""The softmax: exact for logits of any size, and refused for those that are none."""

import math

import numpy as np
import pytest

from mnistry.errors import InvalidValueError
from mnistry.logits import log_softmax, softmax


def test_large_logits() -> None:
    chances = softmax(np.array([[1e5, 1e5, -1e5], [0, math.log(3), -1e30]], np.float32))
    np.testing.assert_allclose(chances, [[0.5, 0.5, 0], [0.25, 0.75, 0]], atol=1e-7)
    assert chances.dtype == np.float64


def test_its_logarithms() -> None:
    logits = np.random.default_rng(0).normal(size=(20, 10))
    np.testing.assert_allclose(np.exp(log_softmax(logits)), softmax(logits), rtol=1e-12)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite(bad: float) -> None:
    logits = np.zeros((5, 10))
    logits[3, 2] = bad
    with pytest.raises(InvalidValueError, match=r"1 of 5 rows.*row 3.*diverged"):
        softmax(logits)


def test_another_shape() -> None:
    with pytest.raises(InvalidValueError, match=r"expected the shape \[n, classes\], found \[10\]"):
        softmax(np.zeros(10))
