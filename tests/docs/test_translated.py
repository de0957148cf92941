"""Words in figures and tables are translated, all or none; code is not."""

from book import sphinx_pages

DRAWN = (
    '<figure aria-label="loss"><style>a{}</style><text>step</text><text>0.5</text>'
    "<code>step</code> <b>late</b></figure>"
)


def test_words_are_translated_and_missing_ones_told() -> None:
    text, missing = sphinx_pages.translated(DRAWN, {"loss": "损失", "step": "步数"})
    assert text == DRAWN.replace('"loss"', '"损失"').replace("<text>step", "<text>步数")
    assert missing == {"late"}
