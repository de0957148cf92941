"""What one corrects, writes for teaching, and labels: by pointer and by keyboard, kept in folders."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from mnistry.reading.labels import label_of_each, read_labels
from mnistry.reading.recognizer import Recognizer

from .browser import DIGITS, Page, Start
from .test_looks import findings

EXAMPLES = Path(__file__).parents[3] / "examples"
FOCUSED = "return document.activeElement.id"
MARKED = (
    "const {value, selectionStart, selectionEnd} = document.getElementById('right');"
    "return [value, value.slice(selectionStart, selectionEnd), selectionStart]"
)


@pytest.fixture(scope="module")
def corrections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "corrections"


@pytest.fixture(scope="module")
def keeper(start: Start, corrections: Path) -> Iterator[str]:
    """The address of a service that keeps corrections."""
    with start("--corrections", corrections) as server:
        yield server.address


@pytest.fixture
def folder(keeper: str, corrections: Path) -> Path:
    """Where it keeps them, empty."""
    for path in corrections.iterdir():
        path.unlink()
    return corrections


@pytest.fixture
def keeping(chrome: webdriver.Chrome, keeper: str, folder: Path) -> Iterator[Page]:
    """Its page, as someone sees it who was never here before."""
    yield from opened(chrome, keeper)


def opened(chrome: webdriver.Chrome, address: str) -> Iterator[Page]:
    chrome.get(address)
    chrome.execute_script("localStorage.clear(); sessionStorage.clear()")
    chrome.get_log("browser")
    page = Page(chrome, address)
    page.look()
    chrome.get(address)
    yield page
    errors = [entry["message"] for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
    chrome.get("about:blank")
    assert errors == []


def write_42(page: Page) -> None:
    page.wait("return document.getElementById('model').options.length > 0")
    page.write(4, left=0.1, top=0.3, side=0.5)
    page.write(2, left=0.6, top=0.3, side=0.5)
    page.wait_for_digits("42")


def test_without_a_folder_the_page_says_how_to_get_one(page: Page) -> None:
    assert "mnistry serve --corrections FOLDER" in page.text("#correct-how")
    write_42(page)
    assert not page.find("#wrong").is_displayed()
    assert not page.find("#write-hand").is_displayed()
    page.keys("7")
    assert not page.find("#correction").is_displayed()


def test_a_digit_is_tapped_and_the_right_one_typed(keeping: Page, folder: Path) -> None:
    page = keeping
    write_42(page)
    assert page.find("#wrong").is_enabled()
    page.find("#wrong").click()
    assert page.js(MARKED) == ["42", "4", 0]
    page.draw([[(0, 0)]], 0.87, 0.4, 0)  # a tap into the box of the two
    assert page.js(FOCUSED) == "right"
    assert page.js(MARKED) == ["42", "2", 1]
    page.keys("7", Keys.ENTER)
    page.wait_for_text("#kept", "Kept as 47. Pictures so far: 1.")
    assert not page.find("#correction").is_displayed()
    (kept,) = read_labels(folder)
    assert kept.lines == ("47",)
    assert Recognizer.load().read(kept.picture).lines == ("42",)  # it is what was drawn
    page.find("#wrong").click()
    assert page.js(MARKED)[:2] == ["42", "2"]
    page.keys(Keys.BACKSPACE, Keys.ENTER)  # a digit too many, of the same drawing
    page.wait_for_text("#kept", "Kept as 4. Pictures so far: 1.")
    assert list(label_of_each(folder).values()) == ["4"]


def test_a_reading_that_comes_late_leaves_the_caret_where_one_types(keeping: Page) -> None:
    page = keeping
    write_42(page)
    page.keys("1")
    assert page.js(MARKED) == ["12", "2", 1]
    page.keys(Keys.HOME)
    page.js(
        "performance.clearMeasures(); const model = document.getElementById('model');"
        "model.dispatchEvent(new Event('change'))"
    )
    page.wait("return performance.getEntriesByName('from drawn to read').length")
    assert page.js(MARKED) == ["12", "", 0]


def test_by_keyboard_alone(keeping: Page, folder: Path) -> None:
    page = keeping
    write_42(page)
    page.js("document.querySelector('#reading input:checked').focus()")
    page.keys(Keys.ARROW_RIGHT, "9")
    assert page.js(FOCUSED) == "right"
    assert page.js(MARKED)[0] == "49"
    page.keys(Keys.HOME, Keys.DELETE, "1", " ", "x", "|", Keys.ENTER)
    page.wait_for_text("#kept", "Kept as 1|9.")
    assert page.js(FOCUSED) == "wrong"
    page.keys(Keys.ENTER, Keys.ESCAPE)
    assert not page.find("#correction").is_displayed()
    page.keys("0")
    page.keys(Keys.DELETE, Keys.BACKSPACE, Keys.BACKSPACE, Keys.ENTER)
    page.wait_for_text("#kept", "Kept as a picture without digits.")
    assert list(label_of_each(folder).values()) == [""]
    assert page.digits == "42"  # the keys were the field's, and the drawing stayed


def test_a_correction_is_of_what_was_shown(keeping: Page, folder: Path) -> None:
    """What is drawn meanwhile is another picture, and ends it."""
    page = keeping
    write_42(page)
    page.find("#wrong").click()
    assert page.find("#correction").is_displayed()
    page.write(1, left=1.1, top=0.3, side=0.1)
    assert not page.find("#correction").is_displayed()
    page.keys(Keys.DELETE)
    page.wait_for_digits("")
    assert not page.find("#wrong").is_enabled()
    assert list(folder.glob("*.png")) == []


def test_what_cannot_be_kept_is_told(keeping: Page, folder: Path) -> None:
    page = keeping
    write_42(page)
    (folder / "labels.tsv").write_text("file,digits\n")
    page.find("#wrong").click()
    page.keys(Keys.ENTER)
    page.wait_for_text("#kept", "It could not be kept.")
    assert "line 1: found the columns" in page.text("#kept-detail")
    assert page.find("#correction").is_displayed()  # nothing that was typed is lost
    page.chrome.get_log("browser")  # the browser's own report of the answer


def test_each_digit_is_written_several_times(keeping: Page, folder: Path) -> None:
    page = keeping
    page.wait("return document.getElementById('model').options.length > 0")
    page.write(8)
    page.find("#write-hand").click()
    assert page.text("#hand-task") == "Write a 0 in each field (1 of 10)."
    assert page.js("return document.getElementById('fields').children.length") == 10
    assert not page.find("#hand-keep").is_enabled()
    page.find("#hand-skip").click()
    for column in range(3):  # two strokes of one digit belong together
        page.draw(DIGITS[1], left=0.02 + column * 0.25, top=0.1, side=0.2)
    page.draw(DIGITS[4], left=0.75, top=0.6, side=0.24)
    page.find("#hand-keep").click()
    page.wait_for_text("#hand-task", "Write a 2 in each field (3 of 10).")
    assert "Pictures so far: 4." in page.text("#hand-state")
    assert not page.find("#undo").is_enabled()  # no 1 comes back as a 2
    page.draw(DIGITS[2], left=0.02, top=0.1, side=0.2)
    page.keys(Keys.ENTER)
    page.wait_for_text("#hand-task", "Write a 3")
    page.find("#hand-end").click()
    assert not page.find("#hand").is_displayed()
    assert not page.find("#fields").is_displayed()
    kept = read_labels(folder)
    assert [one.lines for one in kept] == [("1",)] * 4 + [("2",)]
    reader = Recognizer.load()
    assert [reader.read(one.picture).lines for one in kept] == [("1",)] * 3 + [("4",), ("2",)]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number, name in enumerate(("seven-marker.png", "two-pen-in-shadow.jpg", "seven-marker.png")):
        shutil.copy(EXAMPLES / name, folder / f"{number + 1}{Path(name).suffix}")
    shutil.copy(EXAMPLES / "numbers-on-a-tilted-sheet.jpg", folder / "4.jpg")
    (folder / "5.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    (folder / "labels.tsv").write_text("file\tlines\tnote\n1.png\t1\tkept\n")
    return folder


def test_pictures_are_labelled_by_keyboard(
    chrome: webdriver.Chrome, start: Start, mine: Path, axe: str
) -> None:
    with start(mine, "--no-browser", command="label") as server:
        for page in opened(chrome, server.address):
            page.wait_for_text("#state", "This is what the reader reads.")  # of the first without a label
            assert page.text("#file") == "2.jpg"
            assert page.js(MARKED) == ["2", "2", 0]
            assert page.js(FOCUSED) == "right"
            assert page.text("#progress") == "Picture 2 of 5 · 1 labelled"
            findings(page, axe)
            page.keys(Keys.ENTER)
            page.wait_for_text("#file", "3.png")
            page.wait_for_text("#state", "This is what")
            assert label_of_each(mine) == {"1.png": "1", "2.jpg": "2"}
            page.keys(Keys.ARROW_DOWN)  # skipped
            page.wait_for_text("#file", "4.jpg")
            page.wait("return document.getElementById('right').value === '2706 4815|39 562'")
            page.keys(Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_UP)  # and back, to one with a label
            page.wait_for_text("#state", "It has the label 1.")
            assert page.text("#file") == "1.png"
            page.keys("7", Keys.ENTER)
            page.wait_for_text("#state", "It has the label 2.")
            page.keys(Keys.ARROW_DOWN)
            page.wait_for_text("#state", "This is what")
            page.keys(Keys.DELETE)
            assert page.text("#accept") == "No digits"
            page.keys("-")
            page.wait_for_text("#file", "4.jpg")
            page.wait("return document.getElementById('right').value")
            page.keys("1", "2", "x", " ", "3", "|", "4", Keys.ENTER)
            page.wait_for_text("#file", "5.png")
            page.wait_for_text("#detail", "damaged")
            page.keys(Keys.ENTER, "-")  # nothing is said of what cannot be seen
            chrome.get_log("browser")  # the browser's own report of the answer
    table = "file\tlines\tnote\n1.png\t7\tkept\n2.jpg\t2\t\n3.png\t\t\n4.jpg\t12 3|4\t\n"
    assert (mine / "labels.tsv").read_text() == table


def test_labelling_goes_on_where_it_was_left(chrome: webdriver.Chrome, start: Start, mine: Path) -> None:
    (mine / "5.png").unlink()
    (mine / "labels.tsv").write_text("file\tlines\n1.png\t7\n2.jpg\t2\n4.jpg\t\n")
    with start(mine, "--no-browser", command="label") as server:
        for page in opened(chrome, server.address):
            page.wait_for_text("#file", "3.png")
            page.wait_for_text("#state", "This is what")
            page.keys(Keys.ENTER)
            page.wait_for_text("#state", "It is labelled as a picture without digits.")
            assert page.text("#progress") == "Picture 4 of 4 · all labelled"
            page.keys("5", Keys.ENTER)
            page.wait_for_text("#state", "All pictures have a label.")
    assert label_of_each(mine)["4.jpg"] == "5"
    assert len(read_labels(mine)) == 4


@pytest.mark.parametrize(("language", "theme"), [("en", "dark"), ("zh-CN", "light")])
def test_all_of_it_on_a_narrow_phone(keeping: Page, axe: str, language: str, theme: str) -> None:
    page = keeping
    page.js("localStorage.setItem('language', arguments[0])", language)
    page.look(width=360, touch=True, density=2, theme=theme)
    page.open()
    page.write(4, left=0.05, top=0.3, side=0.4, kind="touch")
    page.wait_for_digits("4")
    page.find("#wrong").click()
    check_phone(page)
    findings(page, axe)
    page.find("#write-hand").click()
    page.draw(DIGITS[0], left=0.02, top=0.02, side=0.2, kind="touch")
    assert page.js("return document.getElementById('fields').children.length") == 12
    check_phone(page)
    findings(page, axe)


def check_phone(page: Page) -> None:
    assert page.js("return document.documentElement.scrollWidth") <= 360
    small = page.js(
        "return [...document.querySelectorAll('button, input[type=text]')]"
        ".filter((target) => target.checkVisibility())"
        ".map((target) => [target.id || target.textContent, target.getBoundingClientRect()])"
        ".filter(([, {width, height}]) => width < 43.9 || height < 43.9).map(([name]) => name)"
    )
    assert small == []
