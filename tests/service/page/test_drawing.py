"""What one draws is read meanwhile: with any pointer or the keyboard, one digit, several, or none."""

from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from .browser import DIGITS, Page, Start, line

LATENCY_LIMIT = 500  # ms; the page's aim is 100, this machine may be busy


@pytest.mark.parametrize(("digit", "kind"), [(0, "mouse"), (4, "touch"), (8, "pen")])
def test_a_drawn_digit_is_read_while_it_is_drawn(page: Page, digit: int, kind: str) -> None:
    page.write(digit, kind=kind)
    page.wait_for_digits(str(digit))
    assert page.text("#bars .best th") == str(digit)
    assert f"It says {digit}" in page.text("#says")
    assert "ms" in page.text("#facts")
    page.wait("return performance.getEntriesByName('from drawn to read').length")
    latency = page.js("return performance.getEntriesByName('from drawn to read').at(-1).duration")
    assert latency < LATENCY_LIMIT


def test_two_digits_have_a_box_each_and_one_of_them_is_chosen(page: Page) -> None:
    page.write(4, left=0.1, top=0.3, side=0.5)
    page.write(2, left=0.6, top=0.3, side=0.5)
    page.wait_for_digits("42")
    page.wait_until_all_is_read()
    height = page.js("return document.getElementById('canvas').getBoundingClientRect().height")
    boxes = page.js(
        "const sheet = document.getElementById('canvas').getBoundingClientRect();"
        "return [...document.querySelectorAll('#boxes div')].map((box) => box.getBoundingClientRect())"
        ".map(({left, top, right, bottom}) => [left, top, right, bottom]"
        ".map((edge, at) => edge - (at % 2 ? sheet.top : sheet.left)))"
    )
    ink = [ink_box(4, 0.1, 0.3, 0.5), ink_box(2, 0.6, 0.3, 0.5)]
    np.testing.assert_allclose(np.array(boxes) / height, ink, atol=0.1)
    shown = (
        "return [document.querySelector('#boxes .chosen').dataset.digit,"
        " document.querySelector('.best th').textContent]"
    )
    assert page.js(shown) == ["4", "4"]
    seen = page.js("return document.getElementById('seen').toDataURL()")
    page.draw([[(0, 0)]], 0.87, 0.4, 0)  # a tap into the box of the two, where there is no ink
    assert page.js(shown) == ["2", "2"]
    assert page.js("return document.getElementById('seen').toDataURL()") != seen
    page.js("document.querySelector('#reading input:checked').focus()")
    page.keys(Keys.ARROW_LEFT)
    assert page.js(shown) == ["4", "4"]
    assert page.digits == "42"  # the tap drew nothing


def ink_box(digit: int, left: float, top: float, side: float) -> list[float]:
    points = np.concatenate([np.array(stroke) for stroke in DIGITS[digit]]) * side + [left, top]
    return [*points.min(axis=0), *points.max(axis=0)]


def test_the_least_confidence_that_is_told_is_the_one_that_is_asked_for(page: Page) -> None:
    page.js(
        "const real = window.fetch; window.fetch = (path, asked) => {"
        "if (path.startsWith('v1/read')) window.asked = path;"
        "return real(path.replace('min_confidence=0.25', 'min_confidence=1'), asked); }"
    )
    page.write(7)
    page.wait_for_digits("?")
    assert page.text("#remark") == "“?” stands for a digit of less than 25.0% confidence."
    assert "min_confidence=0.25" in page.js("return asked")
    assert page.js("return document.querySelector('#boxes div').dataset.digit") == "?"


def test_an_empty_sheet_and_one_without_digits_have_no_digit(page: Page) -> None:
    assert page.text("#no-digit") == "No digit here"
    assert page.text("#remark") == "The sheet is empty."
    page.draw([line((0, 0), (1, 1)), line((1, 0), (0, 1))], 0.3, 0.2, 0.5)  # a cross
    page.wait_until_all_is_read()
    assert page.text("#remark") == "Nothing on the sheet is read as a digit."
    assert page.text("#no-digit") == "No digit here"
    assert page.js("return document.querySelectorAll('#boxes div').length") == 0


def test_undo_and_clear_by_button_and_by_key(page: Page) -> None:
    page.write(1, left=0.1, top=0.3, side=0.5)
    page.write(2, left=0.6, top=0.3, side=0.5)
    page.wait_for_digits("12")
    page.find("#undo").click()
    page.wait_for_digits("1")
    page.keys(Keys.DELETE)
    page.wait_for_digits("")
    assert page.text("#remark") == "The sheet is empty."
    page.keys("Ctrl+z")  # takes the clearing back
    page.wait_for_digits("1")
    page.find("#clear").click()
    page.wait_for_digits("")
    assert not page.find("#clear").is_enabled()


def test_everything_goes_by_keyboard_alone(page: Page) -> None:
    reached = []
    for _ in range(30):
        page.keys(Keys.TAB)
        name = page.js("const {id, tagName} = document.activeElement; return id || tagName")
        reached.append(name)
        if name == "canvas":
            outline = page.js("return getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
            page.keys(" ", *[Keys.ARROW_UP] * 30, " ")
            page.wait_for_digits("1")
    for control in (
        "language",
        "theme",
        "undo",
        "clear",
        "choose-picture",
        "camera",
        "thickness",
        "model",
        "explain",
    ):
        assert control in reached
    assert {"SUMMARY", "INPUT", "A"} <= set(reached)  # the shortcuts, the digit, the link to the interface


def test_one_request_at_a_time_and_the_newest_drawing_wins(page: Page) -> None:
    page.js(
        "window.most = window.under = window.all = 0; const real = window.fetch;"
        "window.fetch = async (...asked) => { all++; most = Math.max(most, ++under);"
        "await new Promise((done) => setTimeout(done, 60));"
        "try { return await real(...asked); } finally { under--; } }"
    )
    page.write(8)
    page.wait_for_digits("8")
    assert page.js("return most") == 1
    assert 2 <= page.js("return all") <= 40


def test_the_result_is_told_once_to_those_who_listen(page: Page) -> None:
    page.js(
        "window.told = []; const live = document.getElementById('live');"
        "new MutationObserver(() => told.push(live.textContent)).observe(live, {childList: true})"
    )
    page.write(4, left=0.1, top=0.3, side=0.5)
    page.write(2, left=0.6, top=0.3, side=0.5)
    page.wait("return told.some((text) => text.startsWith('Read: 42'))")
    told = [text.split(".")[0] for text in page.js("return told")]
    assert (told[-1], told.count("Read: 42")) == ("Read: 42", 1)


def test_classes_of_ones_own_are_called_by_their_names(
    chrome: webdriver.Chrome, start: Start, model_of_parts: bytes, tmp_path: Path
) -> None:
    (tmp_path / "parts.onnx").write_bytes(model_of_parts)
    with start("--model", tmp_path / "parts.onnx", "--runs", tmp_path) as server:
        page = Page(chrome, server.address)
        page.open()
        page.write(4, left=0.1, top=0.3, side=0.3)
        page.write(2, left=0.7, top=0.3, side=0.3)
        page.wait_for_digits("part epart c")  # a label each, and no gap between them
        assert page.js("return document.querySelector('#boxes div').dataset.digit") == "part e"
        assert "It says part e" in page.text("#says")
        labels = "[...document.querySelectorAll('#bars tbody th')].map((head) => head.textContent)"
        assert page.js(f"return {labels}") == [f"part {letter}" for letter in "abcdefghij"]
        page.js("model.value = 'shipped'; model.dispatchEvent(new Event('change'))")
        assert page.js(f"return {labels}") == list("0123456789")
        assert not [entry for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
