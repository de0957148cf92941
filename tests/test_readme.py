"""What newcomers are told: both languages tell the same commands, and every flag in them is there.

That the commands work when they are typed, in a clean environment, is tried by `.ci/readme`.
"""

import re
import shlex
from pathlib import Path

import pytest

from mnistry.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
BLOCKS = re.compile(r"^```(?:sh|python)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"^mnistry (?!COMMAND)([^#|\n]+)", re.MULTILINE)
PAGES = ["README.md", "docs/en/howto.md", "docs/en/errors.md", "docs/en/reading.md"]


def blocks(page: str) -> list[str]:
    """What a page shows to be typed, without what is said of it."""
    said = re.compile(r"\s+#.*")
    return [said.sub("", block) for block in BLOCKS.findall((ROOT / page).read_text())]


def test_both_languages_tell_the_same_commands() -> None:
    assert len(blocks("README.md")) >= 5
    assert blocks("README.md") == blocks("README.zh-CN.md")
    table = re.compile(r"^\|.*`(mnistry train [a-z-]+)` \| ([\d.]+ ± [\d.]+)", re.MULTILINE)
    english, chinese = (table.findall((ROOT / page).read_text()) for page in ("README.md", "README.zh-CN.md"))
    assert english == chinese
    assert len(english) == 5


def commands() -> list[tuple[str, str]]:
    """Every command line of mnistry in a block of the pages, with the command that it calls."""
    fences = re.compile(r"^```(?:text|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    lines = [
        line.strip()
        for page in PAGES
        for block in fences.findall((ROOT / page).read_text())
        for line in LINE.findall(block)
    ]
    return [(line.split()[0], line) for line in dict.fromkeys(lines)]


@pytest.mark.parametrize(("command", "line"), commands(), ids=lambda text: text[:40])
def test_each_command_and_flag_is_there(command: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command in COMMANDS
    words = shlex.split(line)
    asked = [command]
    if command == "train" and "--resume" in words:
        asked += ["--resume"]
    elif command in ("train", "data"):
        asked += [words[1]]
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main([*asked, "--help"]))
    assert ended.value.code == 0
    known = capsys.readouterr().out
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{word} is no flag of: mnistry {' '.join(asked)}"
