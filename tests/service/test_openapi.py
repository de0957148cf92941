"""The description is true: what it says is what is answered, whatever is asked."""

import re
from typing import Any
from urllib.parse import urlparse

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from starlette.testclient import TestClient

from mnistry.service.api import create_app
from mnistry.service.limits import Limits

UNFOUNDED = {
    "positive_data_acceptance",  # that bytes are a picture no schema can say
    "ignored_auth",  # without a token all are let in
}


def test_the_document_tells_all_addresses_and_limits(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    for path, methods in document["paths"].items():
        answer = client.options(path)
        assert answer.status_code == 405
        assert set(methods) == {method.lower() for method in answer.headers["allow"].split(", ")} - {"head"}
    for operation in (document["paths"][f"/v1/{name}"]["post"] for name in ("read", "classify", "explain")):
        assert set(map(int, operation["responses"])) == {
            *(200, 400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503)
        }
    app = create_app(limits=Limits(files=7, upload_mb=3, client_requests=5))
    with TestClient(app, base_url="http://localhost") as other:
        text = other.get("/openapi.json").text
    assert "3 MB" in text
    assert "7 pictures" in text
    assert "More than 5 requests of one address" in text


def test_the_page_for_people_stands_alone(client: TestClient) -> None:
    answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in answer.text
    links = re.findall(r'(?:href|src)="([^"]*)"', answer.text)
    assert not any(urlparse(link).netloc for link in links)
    ids = set(re.findall(r' id="([^"]*)"', answer.text))
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert client.get("/docs.css").headers["content-type"].startswith("text/css")


def fuzz(address: str, pictures: list[bytes], examples: int) -> set[tuple[str, int]]:
    """Asks right and wrong things; no answer may differ from the description.

    Returns:
        Which addresses answered with which status.
    """
    for kind in ("image/png", "image/*", "application/octet-stream"):
        schemathesis.openapi.media_type(kind, st.sampled_from(pictures) | st.binary())
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    checks = [check for check in CHECKS.get_all() if check.__name__ not in UNFOUNDED]
    seen = set()

    def ask(case: Any) -> None:
        answer = case.call_and_validate(checks=checks)
        seen.add((case.operation.path, answer.status_code))

    operations = [operation.ok() for operation in schema.get_all_operations()]
    work = [(operation, mode) for operation in operations for mode in GenerationMode]
    for operation, mode in work:
        if mode.is_negative and operation.method == "get":
            continue  # nothing in it can be wrong
        generated = given(operation.as_strategy(generation_mode=mode))(ask)
        settings(
            max_examples=examples if operation.method == "post" else 1,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )(generated)()
    return seen


def test_a_hundred_requests_are_answered_as_described(server: Any, seven: bytes) -> None:
    seen = fuzz(server.address, [seven, bytes(784)], 8)
    assert {("/v1/read", 200), ("/v1/read", 422), ("/v1/classify", 200), ("/v1/explain", 200)} <= seen
    assert {path for path, status in seen if status == 200} >= {"/healthz", "/metrics", "/docs", "/v1/models"}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_requests_are_answered_as_described(server: Any, seven: bytes) -> None:
    assert len(fuzz(server.address, [seven, bytes(784)], 1700)) > 10
