"""A service that is gone, busy, refuses a picture, or asks for a token."""

from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from .browser import Page, Start


def test_a_service_that_is_gone_is_reported_and_asked_again(page: Page) -> None:
    page.write(9)
    page.wait_for_digits("9")
    page.offline(True)
    page.find("#undo").click()
    page.write(7)
    page.wait_for_text("#trouble", "The service does not answer.")
    page.offline(False)
    page.wait_for_digits("7")
    page.wait("return document.getElementById('trouble').hidden")
    page.chrome.get_log("browser")  # the browser's own report of what was tried


def test_a_busy_service_is_asked_again_when_it_says(page: Page) -> None:
    page.js(
        "const real = window.fetch; window.tried = []; window.fetch = (path, asked) => {"
        "window.tried.push(performance.now());"
        "return window.tried.length > 1 ? real(path, asked) : Promise.resolve("
        "new Response('{\"detail\": \"full\"}', {status: 503, headers: {'Retry-After': '1'}})); }"
    )
    page.write(7)
    page.wait_for_text("#trouble", "The service is busy.")
    page.wait_for_digits("7")
    first, second = page.js("return tried.slice(0, 2)")
    assert second - first > 990


def test_a_picture_that_the_service_refuses_is_explained(page: Page) -> None:
    page.js(
        "window.fetch = () => Promise.resolve(new Response("
        "JSON.stringify({detail: 'It has too many pixels.'}), {status: 413}))"
    )
    page.write(7)
    page.wait_for_text("#trouble", "The service cannot read this picture.")
    assert "It has too many pixels." in page.text("#trouble")
    assert page.digits == page.text("#no-digit") == ""


def test_a_token_is_asked_for_and_kept_for_the_tab(chrome: webdriver.Chrome, start: Start) -> None:
    with start(MNISTRY_TOKEN="open-sesame") as server:
        page = Page(chrome, server.address)
        chrome.get(server.address)
        for token, answer in (("wrong", "This token is not accepted."), ("open-sesame", "")):
            page.wait_for_text("#trouble", "token")
            page.find("#token").send_keys(token, Keys.ENTER)
            page.wait_for_text("#trouble", answer)
        page.wait("return document.getElementById('trouble').hidden")
        page.write(7)
        page.wait_for_digits("7")
        page.open()  # without being asked again
        assert page.js("return localStorage.length") == 0
    chrome.get_log("browser")  # the browser's own report of each 401
