"""Builds the book, English and Chinese, into `docs/_build/site`; an error in a page, or a dead link, fails.

`--full` runs the programs to their ends and measures the bands over all seeds anew; without it each begins,
and a few seeds are held against the bands that are kept. `--check` is for CI: it builds every page, but
executes only those that hold printed numbers against bands. `--links` looks for other hosts' pages, too.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from book.links import dead_links

DOCS = Path(__file__).parent
BUILD = DOCS / "_build"
SITE = BUILD / "site"
LANGUAGES = ("en", "zh")
CHECKED = ("softmax-sum", "scratch", "printed-numbers")
"""The pages that `--check` executes; the last of them holds all printed numbers, the others draw them."""


def sphinx(language: str, *, builder: str, output: Path, full: bool, check: bool) -> None:
    """Runs Sphinx over one language; its warnings are errors."""
    environment = os.environ | {"BOOK_LANGUAGE": language, "BOOK_RUNS": "full" if full else "short"}
    environment |= {"BOOK_EXECUTED": " ".join(CHECKED) if check else ""}
    doctrees = BUILD / "doctrees" / language
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-q", "-T", "-W", "--keep-going"]
    command += ["-c", str(DOCS), "-d", str(doctrees), str(DOCS / language), str(output)]
    subprocess.run(command, env=environment, check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--full", action="store_true", help="whole runs, and the bands over 20 seeds")
    length.add_argument("--check", action="store_true", help=f"execute no pages but {', '.join(CHECKED)}")
    parser.add_argument("--links", action="store_true", help="also ask other hosts for the pages linked to")
    parser.add_argument("--keep", action="store_true", help="do not run again cells that have not changed")
    arguments = parser.parse_args()
    begun = time.monotonic()
    try:
        if not arguments.keep:  # what cells gave depends on mnistry, too, of which their cache knows nothing
            shutil.rmtree(BUILD, ignore_errors=True)
        if arguments.full:
            subprocess.run([sys.executable, str(DOCS / "measure.py")], check=True)
        lengths = {"full": arguments.full, "check": arguments.check}
        for language in LANGUAGES:
            sphinx(language, builder="html", output=SITE / language, **lengths)
            if arguments.links:
                sphinx(language, builder="linkcheck", output=BUILD / "links" / language, **lengths)
    except subprocess.CalledProcessError as error:
        return error.returncode
    shutil.copy(DOCS / "index.html", SITE / "index.html")
    if dead := dead_links(SITE):
        print("\n".join(dead), file=sys.stderr)
        return 1
    print(f"{SITE / 'index.html'}: built in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
