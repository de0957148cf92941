import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistry.data import Dataset, load
from mnistry.data.classes import NAMES_FILE, _languages, labels_of
from mnistry.data.convert import Format, write
from mnistry.data.dataset import DIGITS
from mnistry.errors import DataError

LANGUAGES = {
    "English": "zero one two three four five six seven eight nine",
    "German": "null eins zwei drei vier fünf sechs sieben acht neun",
    "German without umlauts": "Null Ein Zwo Drei Vier Fuenf Sechs Sieben Acht Neun",
    "French": "zéro un deux trois quatre cinq six sept huit neuf",
    "French without accents": "ZERO UNE DEUX TROIS QUATRE CINQ SIX SEPT HUIT NEUF",
    "Spanish": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "Italian": "zero uno due tre quattro cinque sei sette otto nove",
    "Portuguese": "zero um dois três quatro cinco seis sete oito nove",
    "Dutch": "nul één twee drie vier vijf zes zeven acht negen",
    "Swedish": "noll ett två tre fyra fem sex sju åtta nio",
    "Polish": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
    "Russian": "ноль один два три четыре пять шесть семь восемь девять",
    "Ukrainian": "нуль один два три чотири п'ять шість сім вісім дев'ять",
    "Turkish": "sıfır bir iki üç dört beş altı yedi sekiz dokuz",
    "Arabic": "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة",
    "Thai": "ศูนย์ หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า",
    "Chinese": "零 一 二 三 四 五 六 七 八 九",
    "Chinese with a round zero": "〇 一 二 三 四 五 六 七 八 九",
    "Chinese for banks": "零 壹 贰 叁 肆 伍 陆 柒 捌 玖",
    "Chinese for counting": "零 一 两 三 四 五 六 七 八 九",
    "pinyin": "ling yi er san si wu liu qi ba jiu",
    "Japanese": "ゼロ いち に さん よん ご ろく なな はち きゅう",
    "Japanese in Latin letters": "zero ichi ni san yon go roku nana hachi kyuu",
    "Korean": "영 일 이 삼 사 오 육 칠 팔 구",
    "Arabic numerals": "٠ ١ ٢ ٣ ٤ ٥ ٦ ٧ ٨ ٩",
    "Devanagari numerals": "० १ २ ३ ४ ५ ६ ७ ८ ९",
    "wide": "０ １ ２ ３ ４ ５ ６ ７ ８ ９",
    "with zeros": "00 01 02 03 04 05 06 07 08 09",
    "counted": "digit_0 digit_1 digit_2 digit_3 digit_4 digit_5 digit_6 digit_7 digit_8 digit_9",
    "said twice": "0-zero 1-one 2-two 3-three 4-four 5-five 6-six 7-seven 8-eight 9-nine",
    "mixed": "0 one 2 three 4 five 6 seven 8 nine",
}


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_number_words_mean_their_digits(words: str) -> None:
    names = words.split()
    random.Random(0).shuffle(names)
    labels, class_names = labels_of(names)
    assert [labels[word] for word in words.split()] == list(range(10))
    assert class_names == DIGITS


def test_some_of_the_words_are_enough() -> None:
    assert labels_of(["nine", "seven"]) == ({"nine": 9, "seven": 7}, DIGITS)
    assert labels_of(["ni", "tre"])[0] == {"ni": 9, "tre": 3}, "Danish"
    assert labels_of(["ni", "san"])[0] == {"ni": 2, "san": 3}, "Japanese"


def test_words_that_are_other_digits_in_another_language() -> None:
    with pytest.raises(
        DataError, match=r"ni: these number words are other digits .* Call the classes 0 to 9"
    ):
        labels_of(["ni"])


def test_no_language_has_one_word_for_two_digits() -> None:
    assert len(_languages()) > 50
    for words in _languages():
        assert sorted(set(words.values())) == list(range(10)), words


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["dog", "cat", "Bird"], ["Bird", "cat", "dog"]),
        (["zero", "one", "dog"], ["dog", "one", "zero"]),
        ([f"sample {n}" for n in range(1, 11)], [f"sample {n}" for n in range(1, 11)]),
        ([str(n) for n in range(1, 11)], [str(n) for n in range(1, 11)]),
        (["half ½", "five and six", "5-6"], ["5-6", "five and six", "half ½"]),
        (["ten", "zehn"], ["ten", "zehn"]),
        (["fire", "water"], ["fire", "water"]),
    ],
)
def test_other_names_are_kept_in_their_order(names: list[str], ordered: list[str]) -> None:
    labels, class_names = labels_of(names)
    assert sorted(labels, key=lambda name: labels[name]) == ordered
    assert class_names == (*ordered, *["(none)"] * (10 - len(ordered)))


def test_two_spellings_of_one_digit_are_one_class() -> None:
    assert labels_of(["7", "seven", "3"])[0] == {"7": 7, "seven": 7, "3": 3}


def test_names_of_files_that_are_no_text(tmp_path: Path) -> None:
    assert labels_of(["a\nb", "c\udcff"])[1][:2] == ("a b", "c")


def picture(path: Path, place: int) -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[5:20, place : place + 3] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_folders_called_by_words_are_digits(tmp_path: Path) -> None:
    words = LANGUAGES["English"].split()
    for label, word in enumerate(words):
        picture(tmp_path / "train" / word / "a.png", label)
        picture(tmp_path / "test" / word / "a.png", label)
    dataset = load(tmp_path)
    assert dataset.class_names == DIGITS
    assert dataset.test.labels.tolist() == sorted(dataset.test.labels.tolist()) == list(range(10))
    assert dataset.test.images[:, 10].argmax(axis=1).tolist() == list(range(10)), "label 3 is `three`"


@pytest.fixture
def named(small: Dataset) -> Dataset:
    """`small` with names whose order is not that of the alphabet."""
    names = tuple(f"kind {letter}" for letter in "jihgfedcba")
    return Dataset("named", small.train, small.test, names, "", {}, validation=small.test[:5])


@pytest.mark.parametrize("to", ["idx", "npz", "png", "csv"])
@pytest.mark.parametrize("slash", [False, True])
def test_names_outlive_conversion(named: Dataset, tmp_path: Path, to: Format, slash: bool) -> None:
    if slash:  # no folder can be called so
        object.__setattr__(named, "class_names", ("T-shirt/top", *named.class_names[1:]))
    out = tmp_path / ("out.npz" if to == "npz" else "out")
    write(named, out, to)
    dataset = load(out)
    assert dataset.class_names == named.class_names
    for read, part in ((dataset.train, named.train), (dataset.validation, named.validation)):
        assert part is not None
        assert read is not None
        order = np.argsort(part.labels, kind="stable") if to == "png" else slice(None)
        np.testing.assert_array_equal(read.images, part.images[order])
        np.testing.assert_array_equal(read.labels, part.labels[order])
    if to == "png":
        folders = {path.name for path in (out / "train").iterdir()}
        assert folders == set(DIGITS if slash else named.class_names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\nb\n", "expected ten different names"),
        ("a\n" * 10, "expected ten different names"),
        ("\n".join("abcdefghi") + "\n\n \n", "expected ten different names"),
        ("\n".join("abcdefghij"), "class folders that class_names.txt does not name: cat"),
        ("\udcff", "cannot be read"),
    ],
)
def test_a_file_of_names_that_does_not_fit(tmp_path: Path, text: str, message: str) -> None:
    picture(tmp_path / "cat" / "a.png", 3)
    (tmp_path / NAMES_FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=message):
        load(tmp_path)
