"""A headless Chromium for the tests of the page, and hands that write digits in it."""

import itertools
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

Point = tuple[float, float]
Stroke = Sequence[Point]
Start = Callable[..., AbstractContextManager[Any]]

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # there is none inside most containers
    "--disable-dev-shm-usage",
    "--disable-gpu",
    # No request but the tests' own.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # A camera that shows a moving pattern, without a question.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--force-prefers-reduced-motion",
    "--lang=en-US",
)


def find_chromium() -> tuple[str, str] | None:
    """The paths of Chromium and its driver, or None where one of them is not installed."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


def open_browser(browser: str, driver: str) -> webdriver.Chrome:
    """Starts a headless Chromium with a window of 1280×900 and an empty profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options, Service(driver))
    chrome.set_window_size(1280, 900)
    chrome.set_script_timeout(60)
    return chrome


def installed_browser() -> Iterator[webdriver.Chrome]:
    """A Chromium for a fixture; without one, what needs it is skipped."""
    found = find_chromium()
    if not found:
        pytest.skip("Chromium and its driver are not installed: apt-get install chromium chromium-driver")
    with open_browser(*found) as chrome:
        yield chrome


def line(*points: Point) -> list[Point]:
    """Straight pieces between points, with a point at least every tenth of the height."""
    drawn = [points[0]]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        steps = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / 0.1))
        drawn += [
            (x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps) for step in range(1, steps + 1)
        ]
    return drawn


def arc(x: float, y: float, wide: float, high: float, start: float, end: float) -> list[Point]:
    """Part of an ellipse around (x, y); degrees, 0 to the right, 90 down."""
    steps = math.ceil(abs(end - start) / 22)
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + wide * math.cos(angle), y + high * math.sin(angle)) for angle in angles]


DIGITS: dict[int, list[Stroke]] = {
    0: [arc(0.5, 0.5, 0.3, 0.48, -80, 285)],
    1: [line((0.35, 0.2), (0.55, 0.02), (0.52, 0.98))],
    2: [[*arc(0.48, 0.27, 0.3, 0.26, -165, 35), *line((0.7, 0.42), (0.18, 0.96), (0.85, 0.93))]],
    3: [[*arc(0.45, 0.26, 0.3, 0.25, -150, 95), *arc(0.45, 0.73, 0.34, 0.25, -85, 150)]],
    4: [line((0.45, 0.02), (0.15, 0.6), (0.88, 0.58)), line((0.66, 0.3), (0.6, 0.98))],
    5: [[*line((0.78, 0.05), (0.3, 0.07), (0.25, 0.43)), *arc(0.44, 0.69, 0.34, 0.28, -110, 145)]],
    6: [[*arc(0.75, 0.55, 0.53, 0.53, -100, -180), *arc(0.48, 0.7, 0.28, 0.27, -190, 165)]],
    7: [line((0.18, 0.07), (0.82, 0.05), (0.42, 0.97))],
    8: [[*arc(0.5, 0.26, 0.25, 0.24, 80, -270), *arc(0.5, 0.74, 0.31, 0.24, -90, 275)]],
    9: [[*arc(0.46, 0.29, 0.27, 0.27, -20, -370), *line((0.72, 0.3), (0.64, 0.98))]],
}
"""How each digit is written, in a box that is as wide as it is high; y points down."""


class Page:
    """The page of mnistry in a browser, with the hands and eyes of its user."""

    def __init__(self, chrome: webdriver.Chrome, address: str) -> None:
        self.chrome = chrome
        self._address = address

    def open(self) -> None:
        """Loads it anew and waits until it knows the models."""
        self.chrome.get(self._address)
        self.wait("return document.getElementById('model').options.length > 0")

    def find(self, selector: str) -> WebElement:
        return self.chrome.find_element(By.CSS_SELECTOR, selector)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.chrome.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """The text that is to be seen; none where the element is hidden."""
        return self.find(selector).text

    @property
    def digits(self) -> str:
        """What the page says it has read, line by line."""
        return "\n".join(
            self.js(
                "return [...document.querySelectorAll('#reading div')].map((line) => [...line.children]"
                ".map((part) => part.className === 'gap' ? ' ' : part.textContent).join(''))"
            )
        )

    def wait(self, condition: str, *arguments: Any, seconds: float = 30) -> Any:
        """Waits until a script returns something true, and returns that."""
        return WebDriverWait(self.chrome, seconds, 0.02).until(
            lambda _: self.js(condition, *arguments), f"never true: {condition}"
        )

    def wait_for_digits(self, digits: str) -> None:
        try:
            WebDriverWait(self.chrome, 30, 0.02).until(lambda _: self.digits == digits)
        except TimeoutException:
            raise AssertionError(f"expected {digits!r}, the page reads {self.digits!r}") from None

    def wait_for_text(self, selector: str, text: str, seconds: float = 30) -> None:
        try:
            WebDriverWait(self.chrome, seconds, 0.02).until(lambda _: text in self.text(selector))
        except TimeoutException:
            raise AssertionError(f"expected {text!r} in {selector}: {self.text(selector)!r}") from None

    def wait_until_all_is_read(self) -> None:
        """Waits until the answer is of all that is drawn: one to its beginning may have come before."""
        self.wait("return !document.getElementById('would-say').classList.contains('stale')")

    def keys(self, *keys: str) -> None:
        """Presses keys, one after the other; `Ctrl+x` presses two at once."""
        actions = ActionChains(self.chrome)
        for key in keys:
            if key.startswith("Ctrl+"):
                actions.key_down(Keys.CONTROL).send_keys(key[5:]).key_up(Keys.CONTROL)
            else:
                actions.send_keys(key)
        actions.perform()

    def draw(
        self, strokes: Sequence[Stroke], left: float, top: float, side: float, kind: str = "mouse"
    ) -> None:
        """Draws with real pointer events.

        Args:
            strokes: in a box of side 1.
            left: of that box on the sheet, as the following in shares of the sheet's height.
            top: of the box.
            side: of the box.
            kind: of pointer: `mouse`, `touch` or `pen`.
        """
        sheet = self.js(
            "const canvas = document.getElementById('canvas'); canvas.scrollIntoView({block: 'center'});"
            "return canvas.getBoundingClientRect().toJSON()"
        )
        high = sheet["height"]
        actions = ActionBuilder(self.chrome, mouse=PointerInput(kind, kind), duration=2)
        for stroke in strokes:
            points = [
                (round(sheet["x"] + high * (left + side * x)), round(sheet["y"] + high * (top + side * y)))
                for x, y in stroke
            ]
            actions.pointer_action.move_to_location(*points[0]).pointer_down()
            for point in points[1:]:
                actions.pointer_action.move_to_location(*point)
            actions.pointer_action.pointer_up()
        actions.perform()

    def write(
        self, digit: int, left: float = 0.3, top: float = 0.2, side: float = 0.6, kind: str = "mouse"
    ) -> None:
        """Writes a digit as `draw` draws."""
        self.draw(DIGITS[digit], left, top, side, kind)

    def offline(self, gone: bool) -> None:
        """Cuts the connection to the service, or restores it."""
        conditions = {"offline": gone, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.chrome.execute_cdp_cmd("Network.enable", {})
        self.chrome.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def look(self, *, theme: str = "light", width: int = 0, touch: bool = False, density: float = 1) -> None:
        """What the browser tells pages of its screen and its user's wishes; without a width, its window's."""
        wish = {"name": "prefers-color-scheme", "value": theme}
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [wish]})
        self.chrome.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": touch})
        if width:
            size = {"width": width, "height": 740, "deviceScaleFactor": density, "mobile": touch}
            self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        else:
            self.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
