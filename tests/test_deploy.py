"""The files in deploy/: `serve` knows what they say, and their ports and times fit together."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mnistry.cli.environment import from_environment, variables
from mnistry.cli.serve import TOKEN, Options

DEPLOY = Path(__file__).parents[1] / "deploy"


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def image_environment() -> dict[str, str]:
    text = (DEPLOY / "Dockerfile").read_text()
    return dict(re.findall(r"(MNISTRY_[A-Z_]+)=(\S+)", text.partition("ENV ")[2]))


def compose_environment() -> dict[str, str]:
    """That of a replica, where the user set no more than the token."""
    given = documents("compose.yaml")[0]["services"]["mnistry"]["environment"]
    default = re.compile(r"\$\{\w+:-(\w+)\}")
    return {name: default.sub(r"\1", text) for name, text in given.items()} | {TOKEN: "secret"}


def pod() -> dict[str, Any]:
    return dict(documents("kubernetes.yaml")[0]["spec"]["template"]["spec"])


def kubernetes_environment() -> dict[str, str]:
    return {item["name"]: item.get("value", "secret") for item in pod()["containers"][0]["env"]}


@pytest.mark.parametrize("environment", [{}, compose_environment(), kubernetes_environment()])
def test_serve_starts_with_what_they_say(environment: dict[str, str]) -> None:
    told = image_environment() | environment
    assert told.keys() <= {*variables(Options), TOKEN}
    options = from_environment(Options, told)
    options.check(told.get(TOKEN, "secret"))
    assert options.host == "0.0.0.0"
    assert (options.log, options.json_log) == (True, True)
    if environment:
        assert options.proxy_headers
        assert options.allowed_hosts


def test_ports_and_times_fit_together() -> None:
    options = from_environment(Options, image_environment())
    container = pod()["containers"][0]
    assert container["ports"][0]["containerPort"] == options.port
    assert pod()["enableServiceLinks"] is False
    assert pod()["terminationGracePeriodSeconds"] > options.limits.seconds + 5
    assert f"server mnistry:{options.port} resolve" in (DEPLOY / "nginx" / "compose.conf").read_text()
    proxy = (DEPLOY / "nginx" / "mnistry.conf").read_text()
    assert int(re.findall(r"proxy_read_timeout (\d+)s", proxy)[0]) > options.limits.seconds
    assert int(re.findall(r"client_max_body_size (\d+)m", proxy)[0]) == options.limits.upload_mb
    kept = re.findall(r"keepalive_timeout (\d+)s", (DEPLOY / "nginx" / "compose.conf").read_text())
    assert int(kept[0]) < options.limits.head_seconds
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
    for copied in re.findall(r"^COPY (?!--)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE):
        for name in copied.split():
            assert f"!{name}\n" in ignored
            assert (DEPLOY.parent / name).exists()
