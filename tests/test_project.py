"""What belongs to the repository besides code: it agrees with the code, and speaks of mnistry alone."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no checkout of git")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_place_or_a_number_of_those_who_wrote_it(tracked: list[Path]) -> None:
    """Folders of the machine that it was written on, and numbers of issues that nobody else can look up."""
    foreign = re.compile(r"/(work|root|opt/pypi)/|\b(issue|session|task|ticket)s? #?\d", re.IGNORECASE)
    found = []
    for path in tracked:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:  # a picture or a model
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]!r}" for match in foreign.finditer(text)]
    assert len(tracked) > 100
    assert not found


def test_the_lock_has_every_dependency_in_a_version_that_is_allowed() -> None:
    text = (ROOT / "requirements-dev.lock").read_text()
    assert not re.findall(r"^\s*-|://|file:", text, re.MULTILINE), "an option, an address or a path"
    versions: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            locked = Requirement(line)
            versions.setdefault(canonicalize_name(locked.name), []).append(str(locked.specifier)[2:])
    extras = PROJECT["optional-dependencies"].values()
    wanted = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    for requirement in map(Requirement, wanted):
        if requirement.name != "mnistry":
            found = versions.get(canonicalize_name(requirement.name), [])
            assert found, f"{requirement} is not in requirements-dev.lock: run scripts/lock"
            for version in found:
                assert version in requirement.specifier, f"{requirement}, not {version}: run scripts/lock"


def test_the_version_is_the_same_everywhere() -> None:
    version = PROJECT["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_files_that_are_named_exist(tracked: list[Path]) -> None:
    """Paths in backticks, what links point to, and the files of the tree."""
    paths = r"`((?:\.ci|src|tests|bench|scripts|docs|examples)/[\w./-]+)`|\]\((?!\w+:)([^)#]+)\)"
    for name in ("CONTRIBUTING.md", "README.md", "README.zh-CN.md"):
        named = {a or b for a, b in re.findall(paths, (ROOT / name).read_text())}
        assert named
        assert {path for path in named if "NAME" not in path and not (ROOT / path).exists()} == set()
    tree = set(re.findall(r"\b\w+\.py\b", (ROOT / "CONTRIBUTING.md").read_text().split("## The tree")[1]))
    assert len(tree) > 40
    assert tree - {path.name for path in tracked} == set()
