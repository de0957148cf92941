"""Words in figures and tables are translated, all or none; code is not."""

import pytest

from book import sphinx_pages

DRAWN = (
    '<figure aria-label="loss"><style>a{}</style><text>step</text><text>0.5</text>'
    "<code>step</code> <b>late</b><td>epoch 3, batch 1,200</td></figure>"
)


def test_words_are_translated_and_missing_ones_told() -> None:
    text, missing = sphinx_pages.translated(
        DRAWN, {"loss": "损失", "step": "步数", "epoch #, batch #": "第 # 轮，第 # 批"}
    )
    changed = DRAWN.replace('"loss"', '"损失"').replace("<text>step", "<text>步数")
    assert text == changed.replace("epoch 3, batch 1,200", "第 3 轮，第 1,200 批")
    assert missing == {"late"}


def test_ends_of_lines_between_chinese_signs_are_no_spaces() -> None:
    assert sphinx_pages.is_no_space("把它", "变成")
    assert sphinx_pages.is_no_space("运行，", "JAX")
    assert not sphinx_pages.is_no_space("用", "JAX")
    assert not sphinx_pages.is_no_space("JAX", "写")


def test_a_word_with_a_quotation_mark_is_found() -> None:
    assert sphinx_pages.translated("<p>one&#x27;s own</p>", {"one's own": "自己的"}) == (
        "<p>自己的</p>",
        set(),
    )


# jieba leaves its dictionary to the garbage collector to close.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_terms_are_one_word_for_the_search_in_chinese() -> None:
    terms = (sphinx_pages.WORDS.parent / "search.zh.txt").read_text().split()
    search = sphinx_pages.Search({"dict": str(sphinx_pages.WORDS.parent / "search.zh.txt")})
    for term in terms:
        assert term in search.split(f"旧的{term}没有了")


def test_the_stemmer_that_the_search_in_chinese_calls_is_in_its_script() -> None:
    search = sphinx_pages.Search
    assert f"{search.language_name.lower()}-stemmer.js" == search.js_stemmer_rawcode
