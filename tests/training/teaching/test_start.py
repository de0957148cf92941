"""With which weights teaching begins: the shipped ones, or those of a run."""

import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

from mnistry.errors import RunError
from mnistry.export.arrays import named_arrays, safetensors_bytes
from mnistry.models import Reader, ReaderConfig
from mnistry.training import train
from mnistry.training.teaching import start as module
from mnistry.training.teaching.start import Start


@pytest.mark.parametrize("part", ["detector", "verifier"])
def test_shipped_weights_are_in_half_precision(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SHIPPED_DETECTOR", "SHIPPED_VERIFIER"):
        onnx = getattr(module, name)
        for path in (onnx, onnx.with_suffix(".safetensors")):
            shutil.copy(path, tmp_path)
        monkeypatch.setattr(module, name, tmp_path / onnx.name)
    path = tmp_path / f"{part}.safetensors"
    path.unlink()
    with pytest.raises(RunError, match=rf"{part}\.safetensors: missing.*run of the recipe reader"):
        Start.load()
    arrays = named_arrays(getattr(ReaderConfig().build(np.random.default_rng(3)), part))
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    path.write_bytes(safetensors_bytes(halves))
    start = Start.load()
    assert start.run is None
    for name, array in named_arrays(getattr(start.model, part)).items():
        assert array.dtype == np.float32
        assert np.array_equal(array, halves[name])
    path.write_bytes(safetensors_bytes({**halves, "more": np.zeros(3, np.float16)}))
    with pytest.raises(RunError, match="of another model"):
        Start.load()


def test_the_shipped_weights_are_whole_and_those_of_the_shipped_networks() -> None:
    start = Start.load()
    assert start.config == ReaderConfig()
    assert isinstance(start.model, Reader)
    assert start.detector == module.SHIPPED_DETECTOR.read_bytes()
    assert start.verifier == module.SHIPPED_VERIFIER.read_bytes()
    assert all(np.isfinite(array).all() for array in named_arrays(start.model).values())


def test_a_run_of_single_images_cannot_be_taught(tmp_path: Path) -> None:
    run = train("softmax", data="optdigits", steps=1, runs=tmp_path)
    with pytest.raises(RunError, match=r"finds no digits.*recipe reader"):
        Start.load(run.path)
    with pytest.raises(RunError, match="there is no such run folder"):
        Start.load(tmp_path / "nowhere")
    jax.clear_caches()
