"""The tree keeps its shape: imports point downward, heavy libraries load late, public names stay."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mnistry

SOURCE = Path(mnistry.__file__).parent

# Each layer may import from itself and from the layers after it.
LAYERS = [
    ("cli",),
    ("cluster",),
    ("suspects",),
    ("estimator", "hub", "inference", "tracking"),
    ("training",),
    ("export", "service"),
    ("datasets",),
    ("doubts",),
    ("reading",),
    ("runs",),
    ("evaluation",),
    ("recipes",),
    ("recipe",),
    ("models", "losses", "optimizers", "data"),
    ("pixels", "history", "logits"),
    ("own",),
    ("fields", "language", "native"),
    ("atomic", "errors", "files"),
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def imported_modules(path: Path) -> set[str]:
    """The mnistry modules that a file imports anywhere, as their part below the package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.ImportFrom):
            raise AssertionError(f"{path}: a relative import")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in found if name.startswith("mnistry.")} & RANK.keys()


def test_imports_point_downward() -> None:
    checked = 0
    for path in SOURCE.rglob("*.py"):
        layer = path.relative_to(SOURCE).with_suffix("").parts[0]
        if layer in RANK:
            checked += 1
            for other in imported_modules(path):
                same_rank = RANK[other] == RANK[layer]
                allowed = (
                    other == layer
                    or RANK[other] > RANK[layer]
                    or (same_rank and layer in ("losses", "optimizers"))
                )
                assert allowed, f"{path.relative_to(SOURCE)} imports mnistry.{other}, which is not below it"
    assert checked > 40


def test_models_know_nothing_of_data_or_optimizers() -> None:
    for path in (SOURCE / "models").glob("*.py"):
        assert imported_modules(path) <= {"models", "errors", "fields", "own"}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import mnistry", ["jax", "cv2", "onnxruntime", "sklearn", "jinja2", "numpy"]),
        ("import mnistry.cli", ["jax", "cv2", "onnxruntime", "tyro", "rich", "numpy"]),
        (
            "import mnistry.cli.read",
            ["jax", "equinox", "optax", "onnx", "sklearn", "jinja2", "safetensors"],
        ),
        (
            "import mnistry.cli.serve",
            ["jax", "equinox", "optax", "onnx", "sklearn", "jinja2", "safetensors"],
        ),
        ("import mnistry.datasets", ["jax", "onnxruntime", "sklearn", "matplotlib", "pooch"]),
        ("import mnistry.data", ["jax", "sklearn", "jinja2", "pooch"]),
        ("import mnistry.evaluation.report", ["jax", "sklearn", "scipy", "jinja2", "resvg_py"]),
        ("import mnistry.runs", ["jax", "equinox", "optax", "onnxruntime", "sklearn", "cv2", "filelock"]),
        ("import mnistry.training", ["jinja2", "sklearn", "pooch"]),
    ],
)
def test_what_is_not_needed_is_not_loaded(statement: str, absent: list[str]) -> None:
    script = f"{statement}; import sys; print([name for name in {absent} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["data", "reading", "evaluation"])
def test_no_module_of_the_core_loads_jax(package: str) -> None:
    script = (
        f"import importlib, pkgutil, sys, mnistry.{package} as package\n"
        "for module in pkgutil.iter_modules(package.__path__):\n"
        "    importlib.import_module(f'{package.__name__}.{module.name}')\n"
        "print('jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_public_names() -> None:
    assert sorted(mnistry.__all__) == [
        "Dataset",
        "Digit",
        "DigitClassifier",
        "Examples",
        "MnistryError",
        "OwnLoss",
        "OwnModel",
        "RECIPES",
        "Reading",
        "Recipe",
        "Recognizer",
        "Run",
        "Trainer",
        "evaluate",
        "load",
        "log_to_mlflow",
        "pages",
        "predict",
        "predict_proba",
        "pull",
        "push",
        "resume",
        "teach",
        "train",
    ]
    for name in mnistry.__all__:
        assert getattr(mnistry, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = mnistry.nonsense  # type: ignore[attr-defined]


def test_the_public_names_are_seen_before_they_are_loaded() -> None:
    """In a fresh process, where nothing has been asked for yet."""
    script = (
        "import mnistry, pydoc, sys; names = dir(mnistry); assert 'numpy' not in sys.modules; "
        "print(*names); print(mnistry.__version__); "
        "print(pydoc.render_doc(mnistry, renderer=pydoc.plaintext))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names, version, text = done.stdout.split("\n", 2)
    text = re.sub(r"\(\n\s*", "(", text)  # from Python 3.13 on, a long signature has a line for each argument
    assert set(mnistry.__all__) | {"__version__"} <= set(names.split())
    assert not {"Any", "TYPE_CHECKING", "importlib"} & set(names.split())
    assert version == importlib.metadata.version("mnistry")
    for shown in ("class Dataset(", "class Recognizer(", "train(recipe", "RECIPES = ", f"\n    {version}"):
        assert shown in text


def test_without_the_training_side_its_names_are_hidden_and_say_what_they_need() -> None:
    script = (
        "import sys; sys.modules['jax'] = None\n"
        "import importlib.util as util; found = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'jax' else found(name, *rest)\n"
        "import mnistry, pydoc\n"
        "print(*dir(mnistry)); assert 'Recognizer' in pydoc.render_doc(mnistry)\n"
        "try: mnistry.train\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names, said = done.stdout.splitlines()
    assert {"Recognizer", "load"} <= set(names.split())
    assert not {"train", "resume", "teach", "Recipe", "RECIPES"} & set(names.split())
    assert said == "mnistry.train needs jax, which is not installed: pip install 'mnistry[train]'"


def test_only_the_command_line_speaks_of_flags() -> None:
    """Elsewhere an argument is named as Python writes it; `mnistry.cli.flags` makes the flag of it."""
    for path in SOURCE.rglob("*.py"):
        if path.relative_to(SOURCE).parts[0] != "cli" and path.name != "errors.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                    text = re.sub(r"\b(mnistry|curl) [^`]*", "", node.value)  # whole commands
                    assert not re.search(r"(?<![\w-])--[a-z]", text), f"{path}:{node.lineno}: {node.value}"
