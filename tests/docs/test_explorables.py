"""The explorables answer in a browser, from a file and without a server, as the models do in Python."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from selenium import webdriver
from selenium.webdriver.common.by import By

from book.explorables import packed
from mnistry.data import Dataset
from mnistry.data.normalize import as_mnist
from mnistry.export.arrays import named_arrays
from mnistry.logits import softmax
from mnistry.models import RowLstmConfig

from ..service.page.browser import installed_browser  # noqa: TID252

DOCS = Path(__file__).parent.parent.parent / "docs"
UNITS = 8
SNAPSHOTS = 3


@pytest.fixture(scope="module")
def chrome() -> Iterator[webdriver.Chrome]:
    yield from installed_browser()


@pytest.fixture(scope="module")
def samples(optdigits: Dataset) -> NDArray[np.uint8]:
    rows = [int(np.flatnonzero(optdigits.test.labels == digit)[0]) for digit in range(10)]
    return optdigits.test.images[rows]


@pytest.fixture(scope="module")
def lstm() -> Any:
    return RowLstmConfig(units=UNITS).build(np.random.default_rng(0))


@pytest.fixture(scope="module")
def weights() -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(SNAPSHOTS, 784, 10)).astype(np.float32)


@pytest.fixture(scope="module")
def page(
    chrome: webdriver.Chrome,
    samples: NDArray[np.uint8],
    lstm: Any,
    weights: NDArray[np.float32],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[webdriver.Chrome]:
    """A page made of what the book's page holds, and of models that are quickly made."""
    told = {"labels": list(range(10)), "images": base64.b64encode(samples.tobytes()).decode()}
    data = {
        "softmax-data": {
            "steps": list(range(SNAPSHOTS)),
            "loss": [1.0] * SNAPSHOTS,
            "accuracy": [0.5] * SNAPSHOTS,
            "weights": packed(weights),
            "biases": packed(np.zeros((SNAPSHOTS, 10), np.float32)),
            "samples": told,
        },
        "lstm-data": {
            "units": UNITS,
            "arrays": {name: packed(array) for name, array in named_arrays(lstm).items()},
            "samples": told,
        },
    }
    text = (DOCS / "en" / "explorables.md").read_text()
    markup = "".join(re.findall(r"^```\{raw\} html\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    scripts = "".join(
        f'<script type="application/json" id="{name}">{json.dumps(values)}</script>'
        for name, values in data.items()
    )
    folder = tmp_path_factory.mktemp("explorables")
    (folder / "_static").symlink_to(DOCS / "_static")
    (folder / "page.html").write_text(f'<!doctype html><meta charset="utf-8">{scripts}{markup}')
    chrome.get((folder / "page.html").as_uri())
    yield chrome
    assert [entry for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"] == []


def chances(page: webdriver.Chrome, root: str) -> NDArray[np.float64]:
    """The ten bars of an explorable."""
    script = (
        f"return [...document.querySelectorAll('#{root} .classes figure')]"
        ".map((figure) => Number(figure.style.getPropertyValue('--chance')))"
    )
    return np.array(page.execute_script(script))


def move(page: webdriver.Chrome, selector: str, value: float) -> None:
    page.execute_script(
        "const control = document.querySelector(arguments[0]); control.value = arguments[1];"
        "control.dispatchEvent(new Event('input'))",
        selector,
        value,
    )


def test_softmax_answers_as_its_weights_do(
    page: webdriver.Chrome, samples: NDArray[np.uint8], weights: NDArray[np.float32]
) -> None:
    buttons = page.find_elements(By.CSS_SELECTOR, "#explore-softmax .samples button")
    for digit, snapshot in ((4, 0), (9, 2)):
        buttons[digit].click()
        move(page, "#explore-softmax input[type=range]", snapshot)
        expected = softmax((samples[digit].reshape(1, -1) / 255) @ weights[snapshot])[0]
        np.testing.assert_allclose(chances(page, "explore-softmax"), expected, atol=0.02)


@pytest.mark.parametrize(("row", "blank"), [(28, False), (14, False), (14, True)])
def test_the_lstm_believes_what_it_believes_in_python(
    page: webdriver.Chrome, samples: NDArray[np.uint8], lstm: Any, row: int, blank: bool
) -> None:
    page.find_elements(By.CSS_SELECTOR, "#explore-lstm .samples button")[3].click()
    box = page.find_element(By.CSS_SELECTOR, "#explore-lstm .blank")
    if box.is_selected() != blank:
        box.click()
    move(page, "#explore-lstm input[type=range]", row)
    image = samples[3].astype(np.float32) / 255
    image[row:] = 0
    rows = image if blank else image[:row]
    expected = softmax(np.asarray(lstm(rows[None])))[0]
    np.testing.assert_allclose(chances(page, "explore-lstm"), expected, atol=2e-3)
    assert page.find_element(By.CSS_SELECTOR, "#explore-lstm .answer").text == str(expected.argmax())


def test_what_is_drawn_is_seen_as_mnist_has_it(page: webdriver.Chrome) -> None:
    pad = page.find_element(By.CSS_SELECTOR, "#explore-lstm .pad")
    drawing = webdriver.ActionChains(page, duration=50)
    drawing.move_to_element_with_offset(pad, -40, -50).click_and_hold()
    drawing.move_by_offset(70, 0).move_by_offset(-40, 100).release().perform()
    ink, seen = page.execute_script(
        "const pad = document.querySelector('#explore-lstm .pad'),"
        "image = document.querySelector('#explore-lstm .image');"
        "const pixels = (one) => one.getContext('2d').getImageData(0, 0, one.width, one.height).data;"
        "const alphas = (one) => [...pixels(one)].filter((_, i) => i % 4 === 3);"
        "return [alphas(pad), alphas(image)]"
    )
    side = int(len(ink) ** 0.5)
    expected = as_mnist(np.array(ink, np.float64).reshape(side, side))
    assert np.abs(np.array(seen).reshape(28, 28) - expected.astype(int)).max() <= 2
    assert expected.sum() > 10_000


def test_momentum_carries_over_the_rise(page: webdriver.Chrome) -> None:
    def heights(momentum: float) -> tuple[float, float]:
        """The heights at the end, without and with momentum; the browser asks for reduced motion."""
        move(page, "#explore-momentum .rate", 0.05)
        move(page, "#explore-momentum .momentum", momentum)
        page.find_element(By.CSS_SELECTOR, "#explore-momentum .play").click()
        plain, carried = (
            float(page.find_element(By.CSS_SELECTOR, f"#explore-momentum output.{name}").text)
            for name in ("plain", "with")
        )
        return plain, carried

    plain, carried = heights(0.9)
    assert plain > 0.8
    assert carried < 0.01
    assert heights(0.5)[1] == pytest.approx(plain, abs=0.01)
