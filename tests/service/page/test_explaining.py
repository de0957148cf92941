"""What the page shows beyond the digits: other models, all stages, and why centring matters."""

from typing import Any

import numpy as np

from .browser import Page


def test_models_are_chosen_and_compared_on_the_same_drawing(page: Page) -> None:
    page.write(7)
    page.wait_for_digits("7")
    page.js("document.querySelector('#models input[value=threes]').click()")
    page.wait_for_text("#models tbody tr:nth-child(2)", "ms")
    rows = page.js(
        "return [...document.querySelectorAll('#models tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert [row[:2] for row in rows] == [["shipped", "7"], ["threes", "3"]]
    assert all("%" in confidence and "ms" in time for _, _, confidence, time in rows)
    page.js(
        "const model = document.getElementById('model'); model.value = 'threes';"
        "model.dispatchEvent(new Event('change'))"
    )
    page.wait_for_digits("3")


def test_all_stages_are_explained_on_demand(page: Page) -> None:
    assert not page.find("#explain").is_enabled()
    page.write(5)
    page.find("#explain").click()
    page.wait("return document.getElementById('stages-image').naturalWidth > 500")
    warm = page.js(
        "const image = document.getElementById('stages-image');"
        "const context = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext('2d');"
        "context.drawImage(image, 0, 0);"
        "const {data} = context.getImageData(0, 0, image.naturalWidth, image.naturalHeight);"
        "const warm = (red, at) => at % 4 === 0 && red > 200 && data[at + 1] < 190 && data[at + 2] < 140;"
        "return data.filter(warm).length"
    )
    assert warm > 300  # the heat where the digit is
    assert page.find("#stages-open").get_attribute("href").startswith("blob:")
    assert page.text("#stages-state") == ""
    page.find("#undo").click()
    page.wait_for_text("#stages-state", "an earlier drawing")


def test_why_centring_matters_is_seen(page: Page) -> None:
    page.write(5, left=0.02, top=0.02, side=0.3)  # small and in the corner
    page.wait_for_digits("5")
    page.wait_until_all_is_read()
    assert "It would" in page.text("#would-say")
    assert "no digit" in page.text("#would-say") or "say 5" not in page.text("#would-say")
    squeezed, seen = (ink_on(page, canvas) for canvas in ("squeezed", "seen"))
    assert np.abs(centre(seen) - 13.5).max() < 1
    assert centre(squeezed).max() < 7
    assert seen.sum() > 3 * squeezed.sum()


def ink_on(page: Page, canvas: str) -> np.ndarray[Any, Any]:
    pixels = page.js(
        "return [...document.getElementById(arguments[0]).getContext('2d').getImageData(0, 0, 28, 28).data]",
        canvas,
    )
    return np.array(pixels).reshape(28, 28, 4)[..., 0]


def centre(image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array([np.average(np.arange(28), weights=image.sum(axis=1 - axis)) for axis in (0, 1)])
