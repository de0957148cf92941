"""Messages in the reader's language: the catalogue is whole; the locale or a flag says which language."""

import contextlib
import io
import re
import string
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from PIL import Image, ImageDraw

from mnistry.cli import main
from mnistry.cli.translated import translated
from mnistry.errors import UnknownNameError
from mnistry.language import FOLDER, LANGUAGES, gettext, language, language_of, ngettext, use_language

SOURCE = FOLDER.parent
ROOT = SOURCE.parent.parent
sys.path.append(str(ROOT / "scripts"))  # what finds messages, as `scripts/messages` does
CATALOGUES = sorted(FOLDER.glob("*/LC_MESSAGES/mnistry.po"))


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    use_language(None)


def marked() -> set[tuple[str, ...]]:
    """Every message that `scripts/messages` finds in the code."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods, options = [], {}
    for mapping in mappings:
        method, patterns = mapping.pop("method"), mapping.pop("pattern")
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            methods.append((pattern, method))
            options[pattern] = mapping
    found = extract_from_dir(ROOT, methods, options, directory_filter=lambda path: "src" in Path(path).parts)
    return {(text,) if isinstance(text, str) else tuple(text) for _, _, text, _, _ in found}


def ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def texts(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def fields(text: str) -> set[tuple[str, str]]:
    """The values that a message takes, and how they are written."""
    parsed = string.Formatter().parse(text)
    return {(name, form or "") for _, name, form, _ in parsed if name is not None}


def test_there_is_a_catalogue_of_each_language() -> None:
    assert {path.parent.parent.name for path in CATALOGUES} == LANGUAGES.keys() - {"en"}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_every_message_of_the_code_is_translated_and_compiled(path: Path) -> None:
    catalogue = read_po(io.BytesIO(path.read_bytes()), locale=path.parent.parent.name)
    translated = {ids(message): message for message in catalogue if message.id}
    every = marked()
    assert len(every) > 600
    assert translated.keys() == every, "run scripts/messages, and translate what is new"
    for message in translated.values():
        assert all(texts(message)), f"not translated: {message.id}"
        for text in texts(message):
            assert fields(text) <= fields(ids(message)[-1]), f"other values than in English: {text}"
    with path.with_suffix(".mo").open("rb") as compiled:
        used = {ids(message): texts(message) for message in read_mo(compiled) if message.id}
    assert used == {key: texts(message) for key, message in translated.items()}, "run scripts/messages"


def test_no_message_hides_in_an_f_string() -> None:
    """There, neither Babel nor a translator finds it, unless the same stands elsewhere."""
    hidden = re.compile(r"\{n?gettext\(['\"]([^'\"]*)['\"]")
    catalogue = read_po(io.BytesIO(CATALOGUES[0].read_bytes()))
    known = {text for message in catalogue for text in ids(message)}
    for path in SOURCE.rglob("*.py"):
        assert {match[1] for match in hidden.finditer(path.read_text())} <= known, path


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_SG"}, "zh"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:zh:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": ""}, "zh"),
        ({"LANG": "nonsense"}, "en"),
    ],
)
def test_the_language_of_an_environment(environment: dict[str, str], code: str) -> None:
    assert language_of(environment) == code


def test_messages_are_formatted_in_the_language_that_is_chosen() -> None:
    assert (language(), gettext("finished")) == ("en", "finished")
    use_language("zh-Hans")
    assert (language(), gettext("finished")) == ("zh", "已完成")
    assert ngettext("{n} run", "{n} runs", 3).format(n=3) == "3 次运行"
    with pytest.raises(UnknownNameError, match=r"no language 'kx'.*en, zh"):
        use_language("kx")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "softmx"], "没有配方 'softmx'。是不是 'softmax'？已有：softmax, "),
        (["trian"], "没有命令 'trian'。是不是 'train'？"),
        (["train", "softmax", "--learning-rat", "1"], "没有参数 --learning-rat。是不是 --learning-rate？"),
        (["train", "mlp", "--schedul", "cosine"], "是不是 --schedule？"),
        (["train", "softmax", "--seeds", "0"], "--seeds 必须至少为 1，现在是 0"),
        (
            ["train", "mlp", "--epochs", "1", "--steps", "5"],
            "--epochs 1.0 和 --steps 5 都是说训练多久",
        ),
        (["train", "softmax", "--schedule", "cosin"], "没有学习率方案 'cosin'。是不是 'cosine'？"),
        (
            ["train", "softmax", "--data", "nowhere/at-all"],
            "没有数据集或路径 'nowhere/at-all'。已有：mnist, ",
        ),
        (["train", "--resume", "runs/gone"], "runs/gone：没有这个运行文件夹"),
        (["evaluate", "runs/gone"], "runs/gone"),
        (["read", "gone.png"], "gone.png: 没有这个文件。"),
        (["read", "a.png", "--dpi", "0"], "--dpi 必须大于 0，现在是 0"),
        (["compare", "runs/a"], "compare 至少需要两个运行文件夹"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_speak_the_readers_language(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--language", "zh"]) == 2
    assert said in capsys.readouterr().err
    assert main([*arguments, "--language", "en"]) == 2
    assert not re.search("[\u4e00-\u9fff]", capsys.readouterr().err)


def test_what_is_not_translated_stays_as_it_is() -> None:
    use_language("zh")
    for message in ("nobody has translated this", "runs/a: nor this", "", ": ", "a: b: c", "图片: there"):
        assert translated(message) == message
    # Values are kept to the letter, also where they have the form of what stands around them.
    for path in ("a: b", "schedule", "there is no such run folder", "{path}", "行 é"):
        assert translated(f"{path}: there is no such run folder") == f"{path}：没有这个运行文件夹"


def test_the_help_of_flags_speaks_the_readers_language(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        (
            ["train", "mlp", "--help", "--language", "zh"],
            ("第一步的学习率。", "各隐藏层的宽度", "训练这么多个种子"),
        ),
        (["read", "--help", "--language", "zh"], ("读图片和文档里的数字", "置信度低于它的数字")),
        (["data", "info", "--help", "--language", "zh"], ("先在这个文件夹里找",)),
        (["--help", "--language", "zh"], ("训练一个配方，评测它",)),
    ):
        with contextlib.suppress(SystemExit):
            main(arguments)
        printed = re.sub(r"[\s│]+", "", capsys.readouterr().out)
        assert all(re.sub(r"\s+", "", text) in printed for text in said)
    with pytest.raises(SystemExit):
        main(["train", "mlp", "--help", "--language", "en"])
    assert "Learning rate at the first step." in capsys.readouterr().out


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.png"
    Image.new("L", (64, 64), "white").save(path)
    return path


def test_the_flag_counts_wherever_it_stands(blank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["--language", "zh", "read", str(blank)],
        ["read", "--language=zh", str(blank)],
        ["read", str(blank), "--language", "zh_CN.UTF-8"],
    ):
        assert main(arguments) == 0
        assert capsys.readouterr().out == f"{blank}: 没有数字\n"
    assert main(["read", str(blank)]) == 0
    assert capsys.readouterr().out == f"{blank}: no digit\n"


def test_the_locale_counts_without_the_flag(
    blank: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANGUAGE", "zh_CN")
    assert main(["read", str(blank)]) == 0
    assert capsys.readouterr().out == f"{blank}: 没有数字\n"
    assert main(["read", str(blank), "--language", "en"]) == 0
    assert capsys.readouterr().out == f"{blank}: no digit\n"


def test_json_is_the_same_in_every_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seven = Image.new("L", (100, 120), "white")
    ImageDraw.Draw(seven).line([(20, 20), (80, 20), (45, 100)], fill="black", width=9)
    seven.save(tmp_path / "seven.png")
    printed = []
    for code in LANGUAGES:
        assert main(["read", "--json", str(tmp_path / "seven.png"), "--language", code]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert '"7"' in printed[0]


def test_a_language_that_is_none_is_refused(blank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(blank), "--language", "klingon"]) == 2
    assert "no language 'klingon'" in capsys.readouterr().err
    assert main(["read", str(blank), "--language"]) == 2
    assert "en or zh" in capsys.readouterr().err


def test_a_run_and_its_report_in_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ["train", "softmax", "--data", "optdigits", "--steps", "60", "--runs", str(tmp_path)]
    assert main([*train, "--print-every", "20", "--language", "zh"]) == 0
    printed = capsys.readouterr()
    assert "测试准确率 0." in printed.out
    assert "第 20 步：损失 " in printed.err
    report = (tmp_path / "softmax-1" / "report.html").read_text()
    assert '<html lang="zh-Hans">' in report
    # English words are left only where they are names: of the recipe's fields, and of what was measured.
    text = re.sub(r"<style>.*?</style>|<dl class=\"facts\">.*?</dl>|<[^>]*>", " ", report, flags=re.DOTALL)
    words = set(re.findall(r"[A-Za-z]{4,}", text))
    assert words <= {"softmax", "optdigits", "Wilson", "Zeiler", "Fergus", "mnistry"}
    assert main(["evaluate", str(tmp_path / "softmax-1"), "--language", "zh"]) == 0
    assert "宏平均 F1" in capsys.readouterr().out
    # What programs read stays as it is.
    assert '"part": "test"' in (tmp_path / "softmax-1" / "evaluation.json").read_text()
