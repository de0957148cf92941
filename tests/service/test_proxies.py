"""Behind a proxy: who the client is, which id its request has, and that only a trusted proxy is believed."""

import json
import logging
import re

import pytest
from starlette.testclient import TestClient

from mnistry.errors import InvalidValueError
from mnistry.service.api import create_app
from mnistry.service.logs import JsonLines
from mnistry.service.proxies import check_proxies

TRUSTED = ("10.0.0.0/8", "::1")


def seen_of(peer: str, caplog: pytest.LogCaptureFixture, **headers: str) -> tuple[str, str]:
    """The client's address as it is logged and counted, and the id of the request that is answered."""
    app = create_app(hosts=("*",), proxies=TRUSTED)
    with caplog.at_level(logging.INFO, "mnistry.service.access"), TestClient(app, client=(peer, 1)) as client:
        caplog.clear()
        answer = client.get(
            "/v1/models", headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
    assert answer.status_code == 200
    return caplog.records[-1].fields["client"], answer.headers["x-request-id"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "203.0.113.9, 10.0.0.6", "203.0.113.9"),  # two proxies of ours
        ("10.0.0.5", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the client wrote the first one itself
        ("10.0.0.5", "2001:db8::7", "2001:db8::7"),
        ("::1", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.66", "1.1.1.1", "203.0.113.66"),  # no proxy of ours
        ("10.0.0.5", "", "10.0.0.5"),
    ],
)
def test_who_the_client_is(peer: str, forwarded: str, client: str, caplog: pytest.LogCaptureFixture) -> None:
    assert seen_of(peer, caplog, X_Forwarded_For=forwarded)[0] == client


def test_without_proxies_nobody_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"X-Forwarded-For": "1.1.1.1", "X-Request-ID": "mine"}
    with (
        caplog.at_level(logging.INFO, "mnistry.service.access"),
        TestClient(create_app(), base_url="http://localhost", client=("127.0.0.1", 1)) as client,
    ):
        answer = client.get("/v1/models", headers=headers)
    assert caplog.records[-1].fields["client"] == "127.0.0.1"  # type: ignore[attr-defined]
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("peer", "given", "kept"),
    [
        ("10.0.0.5", "a1b2-c3.d4_e5", True),
        ("10.0.0.5", "x" * 65, False),
        ("10.0.0.5", 'a"b', False),
        ("10.0.0.5", "", False),
        ("203.0.113.66", "forged", False),
    ],
)
def test_the_id_of_a_request(peer: str, given: str, kept: bool, caplog: pytest.LogCaptureFixture) -> None:
    own = seen_of(peer, caplog, X_Request_ID=given)[1]
    assert (own == given) == kept
    if not kept:
        assert re.fullmatch("[0-9a-f]{32}", own)


def test_one_client_behind_a_proxy_may_not_have_all_and_others_have_theirs() -> None:
    from mnistry.service.limits import Limits

    app = create_app(limits=Limits(client_requests=1), hosts=("*",), proxies=TRUSTED)
    gate = app._proxied.app  # type: ignore[attr-defined]
    gate._under_way["203.0.113.9"] = 1
    with TestClient(app, client=("10.0.0.5", 1)) as client:
        for address, status in (("203.0.113.9", 429), ("203.0.113.8", 200)):
            assert client.get("/v1/models", headers={"X-Forwarded-For": address}).status_code == status


def test_documentation_names_the_address_that_the_proxy_is_called_by() -> None:
    app = create_app(hosts=("digits.example",), proxies=TRUSTED)
    with TestClient(app, client=("10.0.0.5", 1)) as client:
        told = client.get("/docs", headers={"Host": "digits.example", "X-Forwarded-Proto": "https"})
    assert "https://digits.example" in told.text


@pytest.mark.parametrize("wrong", ["*", "0.0.0.0/0", "::/0", "proxy.internal", "10.0.0.1/8", ""])
def test_who_cannot_be_trusted(wrong: str) -> None:
    with pytest.raises(InvalidValueError, match="trusted_proxies"):
        check_proxies(("10.0.0.5", wrong))


def test_a_line_of_json() -> None:
    record = logging.LogRecord("name", logging.ERROR, "file", 1, "%s went\nwrong", ("ä",), None)
    record.fields = {"status": 500}
    try:
        raise ValueError("deep")
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    line = JsonLines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert told["message"] == "ä went\nwrong"
    assert told["level"] == "error"
    assert told["status"] == 500
    assert "ValueError: deep" in told["exception"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", told["time"])
