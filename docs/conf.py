"""How Sphinx builds the book, once for each language: `docs/build.py` runs it on `docs/en` and on `docs/zh`.

A page is two files, `en/page.md` and `zh/page.md`, and not one with a `.po` file beside it: sentences that
are translated one by one keep the order and the rhythm of their original, and a page that is thought in
Chinese explains other things first. What must not differ is the code: a test holds the cells of both files
equal, so that they are executed once for both languages. The words in figures and tables that the code draws
are translated by `words.zh.json`, after they are drawn; a word that is missing there fails the build.
"""

import logging
import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

from book.length import FULL  # noqa: E402

# The kernels that execute the pages find `book`, too.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(DOCS), os.environ.get("PYTHONPATH"))))

# Without ipywidgets tqdm says so in each page that loads data.
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"

CHINESE = os.environ.get("BOOK_LANGUAGE") == "zh"

logging.getLogger("jieba").setLevel(logging.WARNING)

project = "mnistry"
author = "The mnistry authors"
language = "zh_CN" if CHINESE else "en"
locale_dirs = [str(DOCS / "locale")]  # the theme's words, which Sphinx has not in Chinese
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "book.sphinx_pages"]
templates_path = ["_templates"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries, and of ours that no page lists

default_role = "code"  # what docstrings write in single backticks
autodoc_typehints = "description"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"

myst_enable_extensions = ["colon_fence", "deflist", "attrs_block", "attrs_inline"]
myst_heading_anchors = 3

nb_execution_mode = "cache"
# The lesson trains for two minutes; a slow test runs it, too. `build.py --check` executes few.
nb_execution_excludepatterns = [] if FULL else ["lesson.md"]
if EXECUTED := os.environ.get("BOOK_EXECUTED"):
    nb_execution_excludepatterns = [
        path.name for path in (DOCS / "en").glob("*.md") if path.stem not in EXECUTED.split()
    ]
nb_execution_cache_path = str(DOCS / "_build" / "cells")
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 3600
nb_merge_streams = True
if CHINESE:
    nb_code_prompt_show, nb_code_prompt_hide = "展开代码", "收起代码"
nb_mime_priority_overrides = [("html", "text/html", 0)]

html_search_options = {"dict": str(DOCS / "search.zh.txt")} if CHINESE else {}  # terms that are one word

linkcheck_ignore = [r"https://github\.com/mnistry/"]  # not published yet

html_theme = "furo"
html_title = "mnistry 手写数字之书" if CHINESE else "The book of mnistry"
html_static_path = ["_static"]
html_css_files = ["book.css", "explorables.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/languages.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
