"""A batch is shared by as many devices as there are and as can share it evenly; the rest is told."""

import subprocess
import sys

import pytest

# A CPU is divided before JAX is first used, so this is a process of its own.
SCRIPT = """
import sys, tempfile
from dataclasses import replace
import jax
jax.config.update("jax_num_cpu_devices", 4)
assert jax.device_count() == 4
from mnistry.recipes import RECIPES
from mnistry.training import train
from mnistry.training.devices import make_mesh
recipe = replace(RECIPES["softmax"], steps=4, log_every=2, validate_every=2)
for devices in (1, 2, 3, 4, 7):
    for batch_size in (99, 96, 7, 1):
        told = []
        mesh = make_mesh(replace(recipe, devices=devices, batch_size=batch_size), told.append)
        print("mesh", devices, batch_size, mesh.size, *told, sep="|")
for devices in (1, 2, 3, 4):
    run = train(recipe, devices=devices, batch_size=12, data="optdigits", runs=tempfile.mkdtemp())
    rows = run.history()
    print("run", devices, rows[-1]["loss"], rows[-1]["validation_loss"], sep="|")
# The 14th batch of 99 holds 30 of the 1,317 images.
run = train(recipe, devices=3, batch_size=99, order="file", steps=14, data="optdigits",
            runs=tempfile.mkdtemp())
print("short", run.evaluation.n, sep="|")
"""


@pytest.fixture(scope="module")
def printed() -> list[list[str]]:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return [line.split("|") for line in done.stdout.splitlines()]


def test_every_number_of_devices_and_images(printed: list[list[str]]) -> None:
    lines = [line[1:] for line in printed if line[0] == "mesh"]
    meshes = {(int(devices), int(batch)): rest for devices, batch, *rest in lines}
    sizes = {asked: int(rest[0]) for asked, rest in meshes.items()}
    assert [sizes[devices, 96] for devices in (1, 2, 3, 4, 7)] == [1, 2, 3, 4, 4]
    assert [sizes[devices, 99] for devices in (1, 2, 3, 4, 7)] == [1, 1, 3, 3, 3]
    assert [sizes[devices, 7] for devices in (1, 2, 3, 4, 7)] == [1, 1, 1, 1, 1]
    assert {sizes[devices, 1] for devices in (1, 2, 3, 4, 7)} == {1}
    for (devices, _), (size, *told) in meshes.items():
        assert bool(told) == (int(size) < devices)
    assert meshes[7, 96][1] == "4 of the 7 devices that were asked for are used: there are 4"
    assert meshes[4, 99][1].endswith("there are 4, and they share a batch of 99 evenly")


def test_all_of_them_compute_the_same(printed: list[list[str]]) -> None:
    runs = [line for line in printed if line[0] == "run"]
    assert [line[1] for line in runs] == ["1", "2", "3", "4"]
    for line in runs[1:]:
        assert [float(value) for value in line[2:]] == pytest.approx(
            [float(v) for v in runs[0][2:]], rel=1e-4
        )


def test_a_short_batch_is_shared_too(printed: list[list[str]]) -> None:
    assert ["short", "360"] in printed
