"""The comparison with other programs: what they answer, in which order they are told, and who the best is."""

import json
import sys
from pathlib import Path
from typing import get_args

import pytest

import tutorials
from mnistry.recipes import RECIPES
from peers.environments import PEERS, REQUIREMENTS, PeerName
from tutorials import Failure, RecipeName, Results, Run

MLP = RECIPES["mlp"]


def run(recipe: RecipeName, program: str, seconds: float, compile_seconds: float | None = None) -> Run:
    return Run(recipe, program, 10, 100, seconds, seconds / 2, compile_seconds, 0.9, 0.0)


@pytest.fixture
def results() -> Results:
    runs = [
        run("softmax", "keras", 4),
        run("softmax", "mnistry", 2),
        run("softmax", "pytorch", 3),
        run("mlp", "mnistry", 10),
        run("mlp", "tensorflow", 30),
        run("mlp", "tensorflow-xla", 25, 3.0),
        run("mlp", "openblas", 8),
        # Medians: the fastest run of all is not the fastest program's.
        run("mlp", "tensorflow-xla", 5, 0.5),
        run("mlp", "tensorflow-xla", 15, 1.5),
    ]
    return Results({"gflops": 100.0}, 1.0, runs)


def test_mnistry_is_told_first_and_then_its_peers_the_fastest_first(results: Results) -> None:
    told = [(row["recipe"], row["program"], row["seconds"]) for row in results.rows()]
    assert told == [
        ("softmax", "mnistry", 2),
        ("softmax", "pytorch", 3),
        ("softmax", "keras", 4),
        ("mlp", "mnistry", 10),
        ("mlp", "openblas", 8),
        ("mlp", "tensorflow-xla", 15),
        ("mlp", "tensorflow", 30),
    ]


def test_the_claim_is_made_against_the_best_peer(results: Results) -> None:
    best = tutorials.against_the_best(results.rows())
    assert best == [("softmax", "pytorch", 1.5), ("mlp", "openblas", 0.8)]


def test_without_a_run_of_mnistry_there_is_no_claim(results: Results) -> None:
    results.runs = [one for one in results.runs if (one.recipe, one.program) != ("softmax", "mnistry")]
    assert [recipe for recipe, *_ in tutorials.against_the_best(results.rows())] == ["mlp"]


def test_compiling_is_told_apart_where_a_program_tells_it(results: Results, tmp_path: Path) -> None:
    results.write(tmp_path / "results.json")
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    told = {row["program"]: row["compile_seconds"] for row in rows if row["recipe"] == "mlp"}
    assert told == {"mnistry": None, "openblas": None, "tensorflow-xla": 1.5, "tensorflow": None}


def test_the_table_has_all_that_ran_and_names_the_best(
    results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    results.machine |= {"cpu_count": 2, "device": "cpu:0"}
    results.runs.append(Run("mlp", "keras", 10, 100, 40.0, 20.0, None, 0.9, 0.7))
    tutorials.show(results)
    said = capsys.readouterr().out
    assert "other processes took up to 0.70 CPUs" in " ".join(said.split())
    assert "mlp: the best peer, openblas, takes 0.80 times as long" in said
    lines = [line for line in said.splitlines() if line.startswith("│")]
    order = ["mnistry", "pytorch", "keras", "mnistry", "openblas", "tensorflow-xla", "tensorflow", "keras"]
    assert [line.split("│")[3].strip() for line in lines] == order


def answered(tmp_path: Path, program: str) -> Run | Failure:
    command = [sys.executable, "-c", program]
    return tutorials.run_program("mlp", "peer", command, MLP, tmp_path / "caches")


def test_a_program_says_what_it_took_in_its_last_line(tmp_path: Path) -> None:
    answer = {"train_seconds": 2, "compile_seconds": 0.5, "test": {"accuracy": 0.75}}
    outcome = answered(tmp_path, f"print('epoch 1'); print({json.dumps(answer)!r})")
    assert isinstance(outcome, Run)
    assert (outcome.train_seconds, outcome.compile_seconds, outcome.accuracy) == (2, 0.5, 0.75)
    assert (outcome.steps, outcome.batch_size) == (MLP.steps, MLP.batch_size)
    assert outcome.seconds > 0
    del answer["compile_seconds"]
    outcome = answered(tmp_path, f"print({json.dumps(answer)!r})")
    assert isinstance(outcome, Run)
    assert outcome.compile_seconds is None


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('no such module')", "exit status 1\nno such module"),
        ("print('done')", "not the JSON expected"),
        ("print()", "not the JSON expected"),
        (
            'print(\'{"steps": 9, "train_seconds": 2, "test": {"accuracy": 1}}\')',
            "9 steps were run instead of 10000",
        ),
    ],
)
def test_a_program_that_does_not_answer_as_it_should_is_a_failure(
    tmp_path: Path, program: str, message: str
) -> None:
    outcome = answered(tmp_path, program)
    assert isinstance(outcome, Failure)
    assert message in outcome.message


def test_what_programs_compile_is_kept_for_their_next_run_alone(tmp_path: Path) -> None:
    """And not in the user's own caches, where an earlier measurement could have left it."""
    program = (
        "import json, os; kept = [os.environ['MNISTRY_CACHE'], os.environ['TORCHINDUCTOR_CACHE_DIR']];"
        "inside = all(folder.startswith(%r) for folder in kept);"
        "print(json.dumps({'train_seconds': 1, 'test': {'accuracy': inside}}))"
    )
    outcome = answered(tmp_path, program % str(tmp_path / "caches"))
    assert isinstance(outcome, Run)
    assert outcome.accuracy == 1


def test_every_peer_has_a_program_and_an_environment() -> None:
    assert tuple(PEERS) == get_args(PeerName)
    folder = Path(tutorials.__file__).parent / "peers"
    for peer in PEERS.values():
        assert (folder / peer.source).is_file()
        assert peer.environment in REQUIREMENTS
        assert peer.only is None or peer.only in get_args(RecipeName)
