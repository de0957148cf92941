"""Pictures from elsewhere: chosen, dropped, pasted, from the camera; and what is no picture."""

import base64
from pathlib import Path

from .browser import Page

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_a_picture_can_be_chosen_and_drawn_upon(page: Page) -> None:
    page.find("#picture-file").send_keys(str(EXAMPLES / "two-pen-in-shadow.jpg"))
    page.wait_for_digits("2")
    page.find("#undo").click()
    page.wait_for_digits("")
    page.find("#picture-file").send_keys(str(EXAMPLES / "numbers-on-a-tilted-sheet.jpg"))
    page.wait_for_digits("2706 4815\n39 562")
    assert page.js("return document.querySelectorAll('#boxes div').length") == 13


def test_a_picture_can_be_dropped(page: Page) -> None:
    data = {"items": [], "files": [str(EXAMPLES / "seven-marker.png")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 300, "y": 300, "data": data}
        page.chrome.execute_cdp_cmd("Input.dispatchDragEvent", event)
    page.wait_for_digits("7")
    assert page.js("return document.body.className") == ""


def test_a_picture_can_be_pasted(page: Page, address: str) -> None:
    grant = {"origin": address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    page.chrome.execute_cdp_cmd("Browser.grantPermissions", grant)
    content = base64.b64encode((EXAMPLES / "seven-marker.png").read_bytes()).decode()
    failed = page.chrome.execute_async_script(
        "const [content, done] = arguments;"
        "const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));"
        "const item = new ClipboardItem({'image/png': new Blob([bytes], {type: 'image/png'})});"
        "navigator.clipboard.write([item]).then(() => done(''), (error) => done(String(error)))",
        content,
    )
    assert failed == ""
    page.find("#canvas").click()  # which is also a dot to undo
    page.keys("Ctrl+z", "Ctrl+v")
    page.wait_for_digits("7")


def test_what_is_no_picture_is_refused_by_name(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG but no more")
    page.find("#picture-file").send_keys(str(path))
    page.wait_for_text("#notice", "cannot open broken.png as a picture")
    page.find("#dismiss").click()
    assert page.text("#notice") == ""


def test_the_camera_takes_a_picture(page: Page) -> None:
    page.find("#camera").click()
    page.wait("return document.getElementById('video').videoWidth > 0")
    page.find("#take").click()
    page.wait(
        "return !document.getElementById('camera-view').open && !document.getElementById('undo').disabled"
    )
    assert page.js("return document.getElementById('video').srcObject") is None
    page.wait_for_text("#facts", "ms")
