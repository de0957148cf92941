"""What each address answers, and how it refuses."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from mnistry.data import Dataset
from mnistry.reading.recognizer import Recognizer
from mnistry.service.api import create_app
from mnistry.service.limits import Limits

EXAMPLES = Path(__file__).parents[2] / "examples"

Refusal = Callable[..., dict[str, Any]]
MakePdf = Callable[..., bytes]

PNG = {"Content-Type": "image/png"}
OCTETS = {"Content-Type": "application/octet-stream"}
TEXT = b"no picture at all"


def test_read_answers_as_the_command_does(
    client: TestClient, seven: bytes, mnistry: Callable[..., CompletedProcess[str]], tmp_path: Any
) -> None:
    (tmp_path / "seven.png").write_bytes(seven)
    told = json.loads(mnistry("read", "--json", "--probabilities", "seven.png").stdout)
    answer = client.post("/v1/read?probabilities=true", content=seven, headers=PNG)
    assert answer.status_code == 200
    assert {"file": "seven.png", **answer.json()} == told
    assert set(client.post("/v1/read", content=seven, headers=OCTETS).json()["digits"][0]) == {
        "digit",
        "confidence",
        "box",
        "line",
    }


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded"])
def test_bytes_that_are_given_no_type_of_their_own_may_be_a_picture(
    client: TestClient, seven: bytes, kind: str | None
) -> None:
    """Such as `curl --data-binary @photo.jpg` sends."""
    answer = client.post("/v1/read", content=seven, headers={"Content-Type": kind} if kind else {})
    assert answer.json()["lines"] == ["7"]


def test_read_gives_what_the_classifier_saw_of_each_digit(client: TestClient) -> None:
    content = (EXAMPLES / "numbers-on-a-tilted-sheet.jpg").read_bytes()
    digits = client.post("/v1/read?seen=1", content=content, headers=OCTETS).json()["digits"]
    assert len(digits) > 10
    seen = [np.frombuffer(base64.b64decode(digit["seen"]), np.uint8).reshape(28, 28) for digit in digits]
    recognizer = Recognizer.load()
    rows = recognizer.examine(io.BytesIO(content)).rows
    assert np.array_equal(seen, [one.image for row in rows for one in row.digits])
    told = recognizer.probabilities(np.stack(seen))[:, :10].argmax(axis=1)
    assert (told == [digit["digit"] for digit in digits]).mean() > 0.7


def test_read_takes_a_threshold(client: TestClient, seven: bytes) -> None:
    answer = client.post("/v1/read?min_confidence=1", content=seven, headers=PNG).json()
    assert answer["lines"] == ["?"]
    assert answer["digits"][0]["digit"] is None


def test_a_blank_picture_has_no_lines(client: TestClient) -> None:
    file = io.BytesIO()
    Image.new("L", (200, 100), 255).save(file, "png")
    assert client.post("/v1/read", content=file.getvalue(), headers=PNG).json() == {"lines": [], "digits": []}


def test_read_takes_many_files(client: TestClient, seven: bytes) -> None:
    files = [("a", ("one.png", seven)), ("b", ("text.png", TEXT)), ("a", ("sieben.png", seven))]
    results = client.post("/v1/read", files=files).json()["results"]
    assert [result["file"] for result in results] == ["one.png", "text.png", "sieben.png"]
    assert results[0]["lines"] == results[2]["lines"] == ["7"]
    assert set(results[1]) == {"file", "error"}
    assert results[1]["error"]["status"] == 415


def documents(seven: bytes) -> dict[str, bytes]:
    """A PDF and a TIFF of two pages, and an archive of a picture and a damaged one."""
    pages = [Image.open(io.BytesIO(seven)).convert("L") for _ in range(2)]
    pdf, tiff, archive = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pages[0].copy().save(tiff, "TIFF", save_all=True, append_images=[pages[1].copy()])
    pages[0].save(pdf, "PDF", save_all=True, append_images=pages[1:], resolution=200)
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("seven.png", seven)
        packed.writestr("worse.png", "damaged")
        packed.writestr("notes.txt", "")
    return {"pdf": pdf.getvalue(), "tif": tiff.getvalue(), "zip": archive.getvalue()}


def test_read_takes_documents(client: TestClient, seven: bytes) -> None:
    sent = documents(seven)
    alone = client.post("/v1/read", content=seven, headers=PNG).json()
    for kind in ("application/pdf", "application/octet-stream"):
        answer = client.post("/v1/read", content=sent["pdf"], headers={"Content-Type": kind}).json()
        assert set(answer) == {"pages"}
        assert [(page["page"], page["dpi"], page["lines"]) for page in answer["pages"]] == [
            (1, 200, ["7"]),
            (2, 200, ["7"]),
        ]
    larger = client.post("/v1/read?dpi=400", content=sent["pdf"], headers=OCTETS).json()["pages"][1]
    box, before = larger["digits"][0]["box"], answer["pages"][1]["digits"][0]["box"]
    assert box == pytest.approx([2 * value for value in before], abs=12)
    tiff = client.post("/v1/read", content=sent["tif"], headers={"Content-Type": "image/tiff"}).json()
    assert tiff == {"pages": [{"page": 1, **alone}, {"page": 2, **alone}]}
    archive = client.post("/v1/read", content=sent["zip"], headers={"Content-Type": "application/zip"}).json()
    assert set(archive) == {"pages", "notes"}
    good, bad = archive["pages"]
    assert good == {"page": 1, "file": "seven.png", **alone}
    assert bad["error"]["status"] == 415
    assert "lines" not in bad


def test_read_takes_documents_in_a_form(client: TestClient, seven: bytes, blank_pdf: MakePdf) -> None:
    contents = {"two.pdf": documents(seven)["pdf"], "one.png": seven, "long.pdf": blank_pdf(33)}
    files = [("file", item) for item in contents.items()]
    pdf, picture, long = client.post("/v1/read", files=files).json()["results"]
    assert [page["lines"] for page in pdf["pages"]] == [["7"], ["7"]]
    assert picture["lines"] == ["7"]
    assert (long["file"], long["error"]["status"]) == ("long.pdf", 413)
    assert "has 33 pages; at most 32 are read" in long["error"]["detail"]


def test_documents_that_are_refused(client: TestClient, refused: Refusal, blank_pdf: MakePdf) -> None:
    for content, status, part in (
        (blank_pdf(10_000), 413, "has 10,000 pages; at most 32 are read"),
        (b"%PDF-1.7", 422, "PDF is damaged"),
        (b"PK\5\6", 422, "ZIP archive is damaged"),
    ):
        refused(client.post("/v1/read", content=content, headers=OCTETS), status, part)
    answer = client.post("/v1/read", content=blank_pdf(2, 14_400, 14_400), headers=OCTETS).json()
    assert [page["error"]["status"] for page in answer["pages"]] == [413, 413]
    assert "`dpi=25`" in answer["pages"][0]["error"]["detail"]


def test_explain_draws(client: TestClient, seven: bytes) -> None:
    answer = client.post("/v1/explain", content=seven, headers=PNG)
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).width > 1000


def test_classify_answers_as_the_recognizer_does(client: TestClient, optdigits: Dataset) -> None:
    images = optdigits.test.images[:130]
    expected = Recognizer.load().probabilities(images)[:, :10]
    packed = client.post("/v1/classify", content=images.tobytes(), headers=OCTETS).json()
    assert client.post("/v1/classify", json={"images": images.tolist()}).json() == packed
    np.testing.assert_allclose(packed["probabilities"], expected, atol=1e-6)
    np.testing.assert_allclose(packed["confidences"], expected.max(axis=1), atol=1e-6)
    assert packed["digits"] == expected.argmax(axis=1).tolist()
    one = client.post("/v1/classify", json={"images": images[0].tolist()}).json()
    assert one["digits"] == packed["digits"][:1]


def test_the_small_addresses(client: TestClient) -> None:
    assert client.get("/healthz").json() == client.get("/readyz").json() == {"status": "ok"}
    assert client.head("/healthz").status_code == 200
    client.post("/v1/classify", content=bytes(784 * 3), headers=OCTETS)
    metrics = client.get("/metrics").text
    assert 'mnistry_requests_total{route="/v1/classify",status="200"}' in metrics
    assert "mnistry_batch_images_bucket" in metrics
    assert "mnistry_queue_length 0.0" in metrics


def test_every_answer_is_guarded(client: TestClient) -> None:
    for path in ("/healthz", "/docs", "/nowhere", "/v1/read"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["permissions-policy"].startswith("camera=(self)")


@pytest.mark.parametrize("path", ["/v1/read", "/v1/explain"])
@pytest.mark.parametrize(
    ("content", "kind", "status", "part"),
    [
        (TEXT, "image/png", 415, "Not a picture in a format"),
        (b"%PDF-1.4", "application/octet-stream", 422, "The PDF is damaged"),
        (TEXT, "text/plain", 415, "text/plain"),
        (b"", "image/png", 422, "empty"),
    ],
)
def test_what_is_no_picture(
    client: TestClient, refused: Refusal, path: str, content: bytes, kind: str, status: int, part: str
) -> None:
    refused(client.post(path, content=content, headers={"Content-Type": kind}), status, part)


def test_a_damaged_picture(client: TestClient, refused: Refusal, seven: bytes) -> None:
    refused(client.post("/v1/read", content=seven[:200], headers=PNG), 422, "damaged")


@pytest.mark.parametrize("suffix", ["png", "gif", "tiff", "bmp"])
@pytest.mark.parametrize("size", [(6000, 5000), (15000, 15000)])
def test_a_picture_of_too_many_pixels(
    client: TestClient,
    refused: Refusal,
    big_picture: Callable[[int, int, str], bytes],
    size: tuple[int, int],
    suffix: str,
) -> None:
    content = big_picture(*size, suffix)
    for path in ("/v1/read", "/v1/explain"):
        refused(client.post(path, content=content, headers=OCTETS), 413, "pixels")


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("min_confidence=2", "`float` <= 1.0"),
        ("min_confidence=nan", "min_confidence"),
        ("min_confidence=", "min_confidence"),
        ("seen=perhaps", "seen"),
        ("min-confidence=0.5", "Known: model, min_confidence, probabilities, seen"),
        ("seen=1&seen=0", "twice"),
        ("model=" + 201 * "x", "length <= 200"),
    ],
)
def test_a_parameter_that_is_wrong(
    client: TestClient, refused: Refusal, seven: bytes, query: str, part: str
) -> None:
    refused(client.post(f"/v1/read?{query}", content=seven, headers=PNG), 422, part)


def test_a_model_that_is_not_there(client: TestClient, refused: Refusal, seven: bytes) -> None:
    for path in ("/v1/read", "/v1/explain"):
        refused(client.post(f"{path}?model=shiped", content=seven, headers=PNG), 404, "'shipped'?")
    for name in ("../..", "..%2F..", "%00", "."):
        answer = client.post(f"/v1/classify?model={name}", content=bytes(784), headers=OCTETS)
        refused(answer, 404, "no model")


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        ("{", 400, "JSON"),
        ("[]", 422, "object"),
        ("{}", 422, "images"),
        ('{"images": []}', 422, "length >= 1"),
        ('{"images": [[1, [2]]]}', 422, "got `array`"),
        ('{"images": [[[2]]]}', 422, "length >= 28"),
        (json.dumps({"images": [[0] * 28] * 27}), 422, "length >= 28"),
        (json.dumps({"images": [[[0] * 29] * 28]}), 422, "length <= 28"),
        (json.dumps({"images": [[0] * 27 + [256]] * 28}), 422, "<= 255"),
        (json.dumps({"images": [[0] * 27 + [True]] * 28}), 422, "bool"),
        (json.dumps({"images": [[0] * 27 + [-1]] * 28}), 422, ">= 0"),
        (json.dumps({"images": [[0] * 28] * 28, "model": "x"}), 422, "model"),
        ("[" * 20_000, 422, "object"),
        ('{"images": ' + "[" * 20_000, 422, "array"),
        ("[" * 100_000, 413, "more values"),
        (json.dumps({"images": [[]] * 30_000}), 413, "1,000 images"),
        (json.dumps({"images": [[[0] * 28] * 28] * 1001}), 413, "1,000 images"),
        ('{"' + "key" * 1_000_000 + '": 1}', 422, "unknown field `key"),
    ],
)
def test_json_that_is_no_images(
    client: TestClient, refused: Refusal, body: str, status: int, part: str
) -> None:
    refused(
        client.post("/v1/classify", content=body, headers={"Content-Type": "application/json"}), status, part
    )


def test_octets_that_are_no_images(client: TestClient, refused: Refusal) -> None:
    for size in (0, 1, 783, 785):
        refused(client.post("/v1/classify", content=bytes(size), headers=OCTETS), 422, "784 bytes")
    refused(client.post("/v1/classify", content=bytes(784), headers=PNG), 415, "image/png")
    refused(client.post("/v1/classify", content=bytes(784 * 1001), headers=OCTETS), 413, "1,000")


def test_forms_that_are_wrong(client: TestClient, refused: Refusal, seven: bytes) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(client.post("/v1/read", content=b"nothing", headers=form), 400, "form is damaged")
    refused(
        client.post("/v1/read", content=b"", headers={"Content-Type": "multipart/form-data"}), 400, "oundary"
    )
    refused(client.post("/v1/read", content=b"--x--\r\n", headers=form), 422, "no file")
    refused(client.post("/v1/read", files={"a": seven}, data={"model": "x"}), 422, "'model' is no file")
    refused(client.post("/v1/read", files=[("a", seven)] * 33), 413, "32 pictures")
    refused(client.post("/v1/explain", files={"a": seven}), 415, "multipart/form-data")


@pytest.mark.parametrize(
    "charset", ["utf-7", "punycode", "unicode_escape", "undefined", "idna", "hex", "nonsense"]
)
@pytest.mark.parametrize(
    "name", ['name="a"; filename="\\x"', 'name="a\xff"; filename="+AAA"', 'name="\u00e4"']
)
def test_a_form_in_a_character_set_that_is_not_the_webs(
    client: TestClient, refused: Refusal, seven: bytes, charset: str, name: str
) -> None:
    part = f"--x\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode("latin-1")
    body = part + seven + b"\r\n--x--\r\n"
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    refused(client.post("/v1/read", content=body, headers={"Content-Type": kind}), 415, charset, "utf-8")


def test_a_form_may_name_the_webs_character_set(client: TestClient, seven: bytes) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="\xc3\xa4"\r\n\r\n'
        + seven
        + b"\r\n--x--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x; charset=UTF-8"}
    (result,) = client.post("/v1/read", content=body, headers=kind).json()["results"]
    assert (result["file"], result["lines"]) == ("ä", ["7"])


def test_what_a_client_sent_is_not_told_back_at_length(
    client: TestClient, refused: Refusal, seven: bytes
) -> None:
    long = "a" * 60_000
    answers = [
        client.get(f"/{long}"),
        client.get("/v1/models", headers={"Host": long}),
        client.post(f"/v1/read?{long}=1", content=seven, headers=PNG),
        client.post("/v1/read", content=seven, headers={"Content-Type": long}),
        client.post(
            "/v1/classify", content='{"' + 1000 * long + '": 1}', headers={"Content-Type": "application/json"}
        ),
        client.post("/v1/read", files={"a": ("b", b"c")}, data={long: "d"}),
    ]
    for answer in answers:
        assert len(refused(answer, answer.status_code)["detail"]) < 1100
        assert answer.status_code < 500


def test_the_page_is_sent_once(client: TestClient) -> None:
    for path, kind in (
        ("/", "text/html; charset=utf-8"),
        ("/page/page.js", "javascript"),
        ("/page/icon.svg", "svg"),
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_addresses_and_methods_that_are_not_there(client: TestClient, refused: Refusal) -> None:
    for path in ("/nowhere", "/v1/", "/v1/read/", "/page/../api.py", "/page/nothing.js"):
        refused(client.get(path), 404, "/docs")
    answer = client.get("/v1/read")
    refused(answer, 405, "takes POST, not GET")
    assert answer.headers["allow"] == "POST"
    assert set(client.delete("/v1/models").headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_work_that_takes_too_long(refused: Refusal, seven: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recognizer, "examine", lambda *_, **__: time.sleep(0.5))
    with TestClient(create_app(limits=Limits(seconds=0.1)), base_url="http://localhost") as client:
        answer = client.post("/v1/read", content=seven, headers=PNG)
    refused(answer, 503, "longer than 0.1 seconds")
    assert answer.headers["retry-after"] == "1"


def test_a_failure_of_the_service_is_logged_but_not_told(
    client: TestClient,
    refused: Refusal,
    seven: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*arguments: Any, **named: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Recognizer, "examine", fail)
    assert "secret" not in refused(client.post("/v1/read", content=seven, headers=PNG), 500)["detail"]
    refused(client.post("/v1/read", files={"a": seven}), 500)
    assert "secret" in caplog.text
