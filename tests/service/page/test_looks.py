"""The page for everyone: both languages, light and dark, narrow screens, and axe-core's rules."""

import json

import pytest

from .browser import Page


def test_language_follows_the_button_and_is_kept(page: Page) -> None:
    page.write(6)
    page.wait_for_digits("6")
    page.wait("return document.getElementById('live').textContent.startsWith('Read: 6')")
    english = page.text("body")
    page.find("#language").click()
    assert page.js("return document.getElementById('live').textContent").startswith("识别结果：6")
    assert page.js("return document.documentElement.lang") == "zh-CN"
    chinese = page.text("body")
    assert "识别结果" in chinese
    assert "置信度" in page.text("#facts")
    names = ("mnistry", "English", "Ctrl", "Shift", "Delete", "shipped", "threes")
    names += ("serve", "corrections", "FOLDER", "teach")
    mixed = [line for line in chinese.splitlines() if any(len(word) > 3 for word in ascii_words(line, names))]
    assert mixed == []
    page.open()
    assert page.text("#no-digit") == "这里没有数字"
    page.find("#language").click()
    page.write(6)
    page.wait_for_digits("6")
    assert page.text("h2#answer-title") in english


def ascii_words(line: str, names: tuple[str, ...]) -> list[str]:
    letters = "".join(character if character.isascii() and character.isalpha() else " " for character in line)
    return [word for word in letters.split() if word not in names]


def test_every_word_has_both_languages(page: Page) -> None:
    words = page.chrome.execute_async_script(
        "const done = arguments[0]; fetch('page/words.js').then((answer) => answer.text()).then(done)"
    )
    table = words.split("const WORDS = {")[1].split("\n};")[0]
    entries = page.js(f"return {{{table}}}")
    assert len(entries) > 80
    for name, texts in entries.items():
        assert len(texts) == 2, name
        placeholders = [sorted(part.split("}")[0] for part in text.split("{")[1:]) for text in texts]
        assert placeholders[0] == placeholders[1], name


def test_dark_mode_changes_the_page_and_not_what_is_sent(page: Page) -> None:
    light = page.js("return getComputedStyle(document.body).backgroundColor")
    page.look(theme="dark")
    dark = page.js("return getComputedStyle(document.body).backgroundColor")
    assert [rgb(light) > 200, rgb(dark) > 40] == [True, False]
    page.js(
        "const real = window.fetch; window.fetch = (path, asked) => {"
        "if (path.startsWith('v1/read')) window.sent = asked.body; return real(path, asked); }"
    )
    page.write(3)
    page.wait_for_digits("3")
    kind, corner, darkest = page.chrome.execute_async_script(
        "const done = arguments[0]; createImageBitmap(window.sent).then((picture) => {"
        "const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');"
        "context.drawImage(picture, 0, 0);"
        "const {data} = context.getImageData(0, 0, picture.width, picture.height);"
        "const red = data.filter((_, at) => at % 4 === 0);"
        "done([window.sent.type, red[0], red.reduce((one, other) => Math.min(one, other))]); })"
    )
    assert (kind, corner, darkest) == ("image/png", 255, 0)
    page.find("#theme").click()  # from the system's wish to light
    assert page.js("return getComputedStyle(document.body).backgroundColor") == light
    page.open()
    assert page.js("return getComputedStyle(document.body).backgroundColor") == light


def rgb(colour: str) -> int:
    return int(colour.split("(")[1].split(",")[0])


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_narrow_phone_shows_everything(page: Page, language: str) -> None:
    page.js("localStorage.setItem('language', arguments[0])", language)
    page.look(width=360, touch=True, density=3)
    page.open()
    page.write(4, left=0.05, top=0.3, side=0.4, kind="touch")
    page.write(2, left=0.5, top=0.3, side=0.4, kind="touch")
    page.wait_for_digits("42")
    page.js("document.querySelector('#models input[value=threes]').click()")
    page.find("#explain").click()
    page.wait("return document.getElementById('stages-image').naturalWidth > 0")
    assert page.js("return document.documentElement.scrollWidth") <= 360
    assert page.js(
        "const canvas = document.getElementById('canvas');"
        "return canvas.width / canvas.getBoundingClientRect().width"
    ) == pytest.approx(3, abs=0.02)
    small = page.js(
        "return [...document.querySelectorAll('button, select, summary, #reading label, #models label,"
        " .thickness input, footer a')].filter((target) => target.checkVisibility())"
        ".map((target) => [target.id || target.textContent, target.getBoundingClientRect()])"
        ".filter(([, {width, height}]) => width < 43.9 || height < 43.9).map(([name]) => name)"
    )
    assert small == []


def test_nothing_comes_from_elsewhere_and_nothing_moves_needlessly(page: Page, address: str) -> None:
    loaded = page.js("return performance.getEntriesByType('resource').map(({name}) => name)")
    assert loaded
    assert [name for name in loaded if not name.startswith(address)] == []
    assert page.js("return getComputedStyle(document.querySelector('#bars span')).transitionDuration") == "0s"


@pytest.mark.parametrize(("language", "theme"), [("en", "dark"), ("zh-CN", "light")])
def test_accessibility(page: Page, axe: str, theme: str, language: str) -> None:
    page.look(theme=theme)
    page.js("localStorage.setItem('language', arguments[0])", language)
    page.open()
    page.js("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    page.write(4, left=0.1, top=0.3, side=0.5)
    page.write(2, left=0.6, top=0.3, side=0.5)
    page.wait_for_digits("42")
    page.find("#explain").click()
    page.wait("return document.getElementById('stages-image').naturalWidth > 0")
    findings(page, axe)
    page.js("window.fetch = () => Promise.resolve(new Response('{}', {status: 401}))")
    page.write(1, left=1.1, top=0.3, side=0.1)
    page.wait("return document.getElementById('token-form').checkVisibility()")
    findings(page, axe)


def findings(page: Page, axe: str) -> None:
    page.js(axe)
    result = page.chrome.execute_async_script(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']})"
        ".then(({violations}) => done(violations.map(({id, impact, nodes}) =>"
        "({id, impact, where: nodes.map(({target, failureSummary}) => [target, failureSummary])}))))"
    )
    grave = [finding for finding in result if finding["impact"] in ("serious", "critical")]
    assert grave == [], json.dumps(grave, indent=1)
