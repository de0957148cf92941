"""Every option of `serve` may stand in the environment; a flag goes before it, what is no value is told."""

from pathlib import Path
from typing import Any

import pytest

from mnistry.cli.environment import from_environment, variables
from mnistry.cli.serve import Options
from mnistry.errors import InvalidValueError

OTHERS: dict[str, tuple[str, Any]] = {
    "MNISTRY_MODEL": ("runs/mile-1", Path("runs/mile-1")),
    "MNISTRY_RUNS": ("/runs", Path("/runs")),
    "MNISTRY_CORRECTIONS": ("/corrections", Path("/corrections")),
    "MNISTRY_HOST": ("0.0.0.0", "0.0.0.0"),
    "MNISTRY_NO_AUTH": ("True", True),
    "MNISTRY_ALLOWED_HOSTS": ("a.example, *.b.example", ("a.example", "*.b.example")),
    "MNISTRY_PROXY_HEADERS": ("1", True),
    "MNISTRY_TRUSTED_PROXIES": ("10.0.0.0/8", ("10.0.0.0/8",)),
    "MNISTRY_LOG": ("true", True),
    "MNISTRY_JSON_LOG": ("false", False),
    "MNISTRY_SECONDS": ("2.5", 2.5),
}
"""Those whose values are no whole numbers."""


def test_every_option_has_its_variable() -> None:
    values = dict.fromkeys(variables(Options), ("7", 7)) | OTHERS
    assert values.keys() == variables(Options).keys()
    assert {"MNISTRY_PORT", "MNISTRY_CLIENT_REQUESTS", "MNISTRY_WORKERS"} <= values.keys()
    found = from_environment(Options, {name: text for name, (text, _) in values.items()})
    for variable, field in variables(Options).items():
        holder = found if hasattr(found, field) else found.limits
        assert getattr(holder, field) == values[variable][1], variable


def test_without_variables_all_is_as_it_was() -> None:
    assert from_environment(Options, {"MNISTRY_PORT": "", "OTHER": "1"}) == Options()


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("MNISTRY_PORT", "http", "a whole number"),
        ("MNISTRY_PORT", "tcp://10.0.0.1:8000", "enableServiceLinks"),
        ("MNISTRY_LOG", "perhaps", "true or false"),
        ("MNISTRY_SECONDS", "long", "a number"),
    ],
)
def test_what_is_no_value(name: str, text: str, part: str) -> None:
    with pytest.raises(InvalidValueError, match=part) as error:
        from_environment(Options, {name: text})
    assert f"{name}={text!r}" in str(error.value)
