"""Dead links of a built site are found, and what it would load from another host."""

from pathlib import Path

from book import links


def test_dead_links_are_told(tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "index.html").write_text('<h1 id="始">x</h1><a href="../index.html">home</a>')
    (tmp_path / "index.html").write_text(
        '<a href="zh/">a</a><a href="zh/index.html#%E5%A7%8B">b</a><a href="https://example.org">c</a>'
        '<a href="#">d</a>'
        '<img src="data:image/png;base64,AA"><img src="gone.png"><a href="zh/index.html#nowhere">e</a>'
        '<script src="//cdn.example.org/x.js"></script><link rel="stylesheet" href="https://example.org/x.css">'
    )
    assert sorted(links.dead_links(tmp_path)) == [
        "index.html: gone.png: there is no such file",
        "index.html: loads //cdn.example.org/x.js from another host",
        "index.html: loads https://example.org/x.css from another host",
        "index.html: zh/index.html#nowhere: there is no such place in that page",
    ]
