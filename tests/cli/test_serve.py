"""`mnistry serve`: how it starts, what it refuses, and how it is stopped."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]


def started(*flags: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mnistry", "serve", "--port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    assert select.select([process.stdout], [], [], 60)[0]
    return process.stdout.readline()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_at_once_and_stops_cleanly(stop: signal.Signals) -> None:
    begin = time.monotonic()
    with started("--log") as process:
        line = first_line(process)
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line
        with urllib.request.urlopen(f"{address[0]}/readyz") as answer:
            assert answer.status == 200
        took = time.monotonic() - begin
        assert took < 30  # 0.4 s on an idle machine
        process.send_signal(stop)
        rest, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert rest == ""
    assert re.fullmatch(r"mnistry: 127\.0\.0\.1 GET '/readyz' 200 \d+\.\d ms\n", log)


def test_json_lines_with_the_id_of_the_proxy_and_options_from_the_environment() -> None:
    told = {"MNISTRY_LOG": "true", "MNISTRY_JSON_LOG": "true", "MNISTRY_PROXY_HEADERS": "true"}
    told |= {"MNISTRY_NO_AUTH": "true", "MNISTRY_ALLOWED_HOSTS": "digits.example", "MNISTRY_FILES": "0"}
    with started("--files", "2", **told) as process:  # a flag goes before the environment
        address = first_line(process).split()[2]
        headers = {"Host": "digits.example", "X-Forwarded-For": "203.0.113.9", "X-Request-ID": "abc-1"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{address}/v1/models", headers=headers)
        ) as answer:
            assert answer.headers["X-Request-ID"] == "abc-1"
        process.terminate()
        line = json.loads(process.communicate(timeout=20)[1])
    assert line.pop("time")
    assert line.pop("milliseconds") > 0
    assert line.pop("message").startswith("203.0.113.9 GET '/v1/models' 200")
    told = {"client": "203.0.113.9", "method": "GET", "path": "/v1/models", "request_id": "abc-1"}
    assert line == {"level": "info", "status": 200, **told}


def test_it_says_nothing_of_requests_by_itself() -> None:
    with started() as process:
        address = first_line(process).split()[2]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/nowhere")
        process.terminate()
        assert process.communicate(timeout=20) == ("", "")


def test_a_port_in_use(mnistry: Command, refused: Refused) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(mnistry("serve", "--port", port), f"--port {port}", "in use", "another port")


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        (["--port", 99999], "--port must be from 0 to 65535"),
        (["--host", "203.0.113.7", "--no-auth"], "cannot listen there"),
        (["--host", "no.such.host.invalid", "--no-auth"], "cannot listen there"),
        (["--host", "0.0.0.0"], "--no-auth"),
        (["--host", "::"], "MNISTRY_TOKEN"),
        (["--model", "absent"], "no such model or run folder"),
        (["--files", 0], "--files must be more than 0"),
        (["--pixels", 60_000_000], "at most 50,000,000"),
        (["--proxy-headers"], "--proxy-headers lets other machines in: set a token in MNISTRY_TOKEN"),
        (["--allowed-hosts", "a.example"], "--allowed-hosts a.example lets other machines in"),
        (["--trusted-proxies", "10.0.0.5"], "--trusted-proxies has no effect"),
        (["--no-auth", "--proxy-headers", "--trusted-proxies", "*"], "no address or network"),
    ],
)
def test_what_is_refused(
    mnistry: Command, refused: Refused, flags: list[object], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MNISTRY_TOKEN", raising=False)
    refused(mnistry("serve", *flags), part)


def test_a_token_that_no_header_can_hold(
    mnistry: Command, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTRY_TOKEN", "öffne dich")
    refused(mnistry("serve"), "MNISTRY_TOKEN", "ASCII")


@pytest.mark.parametrize(("flags", "token", "status"), [(["--no-auth"], "", 200), ([], "sesame", 401)])
def test_other_machines_are_let_in_when_it_was_said(flags: list[str], token: str, status: int) -> None:
    with started("--host", "0.0.0.0", *flags, MNISTRY_TOKEN=token) as process:
        port = first_line(process).split()[2].rpartition(":")[2]
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/models", headers={"Host": "other.example"}
        )
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            assert answer.status == status
        process.terminate()
        process.communicate(timeout=20)


def test_without_the_extra_it_says_what_to_install(
    mnistry: Command, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith("mnistry.service") or name == "mnistry.cli.serve":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    refused(mnistry("serve"), "uvicorn", "pip install 'mnistry[serve]'")


def test_help_tells_the_limits(mnistry: Command) -> None:
    told = mnistry("serve", "--help").stdout
    for flag in (
        "--upload-mb",
        "--pixels",
        "--files",
        "--images",
        "--seconds",
        "--client-requests",
        "--no-auth",
    ):
        assert flag in told
    assert "MNISTRY_TOKEN" in told


def test_it_can_be_stopped_as_soon_as_it_says_that_it_serves() -> None:
    for _ in range(3):
        with started() as process:
            first_line(process)
            process.terminate()
            assert process.communicate(timeout=20) == ("", "")
        assert process.returncode == 0
