"""The command line: `mnistry COMMAND …`.

Each command is a module with a `main(arguments) -> exit status`, imported only when it is called, so
that `mnistry --help` answers at once and reading a picture never loads what training needs.
"""

import atexit
import gc
import importlib
import os
import sys
from types import ModuleType

from mnistry.cli.translated import spoken
from mnistry.errors import InvalidValueError, MnistryError, UnknownNameError
from mnistry.language import LANGUAGES, gettext, use_language

COMMANDS = {
    "train": "train a recipe, measure it, and keep everything in a run folder",
    "sweep": "train many settings and seeds, choose by validation, test the chosen one",
    "evaluate": "measure a trained model: accuracy, precision, recall, confusion, calibration",
    "report": "one HTML file to look at: curves, confusions, mistakes, what decides, runs compared",
    "runs": "list the runs of a folder: filter, sort, as a table or as JSON",
    "compare": "lay runs side by side; for two of them, McNemar's test",
    "read": "read the digits in pictures",
    "prepare": "how a picture becomes 28×28, as the tutorials' programs do it and as it is done here",
    "predict": "the class of each image of a file, as a table or a submission",
    "evaluate-pictures": "measure how well the labelled pictures of a folder are read",
    "label": "say on a page what is to be read in your own pictures, by keyboard",
    "teach": "teach the reader your hand, by pictures with labels",
    "serve": "read pictures over HTTP, with a page to draw on",
    "export": "hand a trained model on as ONNX, safetensors or npz",
    "push": "put a run into a repository of the Hugging Face Hub",
    "pull": "get a run from one",
    "recipes": "list the recipes",
    "bench": "train recipes on this machine: what they reach, and how fast",
    "data": "list, fetch, look at and convert data sets",
}

EXTRAS = {"serve": "serve", "label": "serve", "push": "train,hub", "pull": "train,hub"}
"""What a command needs to be installed, where that is not `train`."""

USAGE = (
    "usage: mnistry COMMAND …\n\nHandwritten digits, from the first gradient to real paper.\n\n"
    "commands:\n{commands}\n"
    "`mnistry COMMAND --help` tells more; `mnistry --version` the version.\n"
    "`--language zh` speaks Chinese, `--language en` English; else the locale says.\n"
)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns its exit status.

    0: done. 1: `train` came to its end, but nothing was learnt.
    2: bad input, explained on standard error in one message, without a traceback.
    130 or 143: stopped by Ctrl-C or SIGTERM.

    Args:
        arguments: what follows `mnistry`; by default those of the process.
    """
    # NumPy's few small products need one thread. A second one would wait for more of them for a tenth of a
    # second, and keep a core busy that training needs. Read when NumPy is imported, which comes later.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        arguments = _in_language(arguments)
    except MnistryError as error:
        return _fail(str(error))
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_usage(), end="", file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    try:
        if arguments[0] == "--version":
            import mnistry
            from mnistry.native.library import library

            print(f"mnistry {mnistry.__version__}\ncompiled kernels: {library().said}")
            return 0
        if arguments[0] not in COMMANDS:
            raise UnknownNameError("command", arguments[0], COMMANDS)
        command = _imported(f"mnistry.cli.{arguments[0].replace('-', '_')}")
        status: int = command.main(arguments[1:])
        sys.stdout.flush()
        return status
    except MnistryError as error:
        return _fail(str(error))
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}")
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(arguments[0], "train")
        said = gettext("{command!r} needs {name}, which is not installed: pip install 'mnistry[{extra}]'")
        return _fail(said.format(command=arguments[0], name=error.name, extra=extra))
    except KeyboardInterrupt:
        print("mnistry: " + gettext("interrupted"), file=sys.stderr)
        return 130


def _usage() -> str:
    """What there is, in the reader's language."""
    commands = "".join(f"  {name:<18} {gettext(summary)}\n" for name, summary in COMMANDS.items())
    return gettext(USAGE).format(commands=commands)


def _in_language(arguments: list[str]) -> list[str]:
    """Chooses the language that `--language` names, wherever it stands, and returns the other arguments.

    Raises:
        MnistryError: it names none that there is.
    """
    use_language(None)
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        flag, separator, value = word.partition("=")
        if word == "--":
            return [*rest, word, *words]
        if flag != "--language":
            rest.append(word)
            continue
        name = value if separator else next(words, "")
        if not name:
            raise InvalidValueError(f"--language needs the name of one: {' or '.join(LANGUAGES)}")
        use_language(name)
    return rest


def _imported(module: str) -> ModuleType:
    """Imports a module; Python's garbage collector never looks at what the import creates.

    These are hundreds of thousands of objects that are needed to the end. Looking at them takes a seventh of
    the time of the shortest training, from start to exit.
    """
    atexit.register(gc.freeze)
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def _fail(message: str) -> int:
    print(f"mnistry: {spoken(message)}", file=sys.stderr)
    return 2
