"""The two preparations of a picture, worked by hand, and the command that shows them."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
from PIL import Image

from mnistry.data import Dataset
from mnistry.reading.preparations import preparations, tutorial_stages
from mnistry.reading.recognizer import Recognizer

Command = Callable[..., CompletedProcess[str]]
EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_way_of_the_tutorials_step_by_step() -> None:
    grey = np.ones((56, 28), np.float32)
    grey[10:20, 5:9] = 0.0  # a stroke
    grey[30:40, 5:9] = (255 - 50) / 255  # as dark as becomes ink
    grey[45:55, 5:9] = (255 - 49) / 255  # a little paler
    names, images = zip(*((stage.name, stage.image) for stage in tutorial_stages(grey)), strict=True)
    assert names == ("grey", "squeezed to 28×28", "inverted", "cut at 50")
    assert [image.shape for image in images] == [(56, 28), (28, 28), (28, 28), (28, 28)]
    np.testing.assert_array_equal(images[2], 255 - images[1])
    assert set(np.unique(images[3])) == {0, 255}
    assert images[3][7, 6] == 255
    assert images[3][17, 6] == 255
    assert images[3][25, 6] == 0
    assert images[1].mean() == np.mean(255 - images[2])


def test_a_small_digit_in_a_corner_is_only_read_where_it_is_boxed_and_centred(optdigits: Dataset) -> None:
    right = {"tutorial": 0, "own": 0}
    recognizer = Recognizer.load()
    for digit in range(10):
        image = optdigits.test.images[np.flatnonzero(optdigits.test.labels == digit)[0]]
        page = np.full((400, 300), 255, np.uint8)
        page[20:76, 20:76] = 255 - np.asarray(Image.fromarray(image).resize((56, 56)))
        tutorial, own = preparations(recognizer, page)
        right["tutorial"] += tutorial.digit == digit
        right["own"] += own.digit == digit
        assert [stage.name for stage in own.stages][:3] == ["grey", "light and shade taken away", "cut out"]
        assert own.stages[-1].image.shape == (28, 28)
    assert right["own"] >= 9
    assert right["tutorial"] <= 3


def test_the_command_draws_both_ways(mnistry: Command, tmp_path: Path) -> None:
    done = mnistry("prepare", EXAMPLES / "two-pen-in-shadow.jpg", tmp_path / "absent.png")
    assert done.returncode == 2
    assert "absent.png" in done.stderr
    assert "as MNIST was made: 2 (" in done.stdout
    with Image.open(tmp_path / "two-pen-in-shadow-prepared.png") as sheet:
        assert sheet.width > 4 * 280
        assert np.asarray(sheet.convert("L")).min() < 60
    done = mnistry("prepare", "--json", EXAMPLES / "seven-marker.png")
    (tutorial, own) = json.loads(done.stdout)["ways"]
    assert (own["digit"], own["digits"]) == (7, 1)
    assert tutorial["name"] == "as the tutorials do"


def test_paper_without_a_digit(mnistry: Command, tmp_path: Path) -> None:
    Image.new("L", (60, 40), 255).save(tmp_path / "blank.png")
    done = mnistry("prepare", "blank.png")
    assert done.returncode == 0
    assert "as MNIST was made: no digit" in done.stdout
    assert mnistry("prepare").returncode == 2
