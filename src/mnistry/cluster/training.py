"""Training over hosts, started by Ray Train: as many workers as were asked for train one run together."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnistry.cluster.engine import failure, ray_at
from mnistry.errors import TrainingError


def train_over(address: str, count: int, call: Callable[[], Any]) -> Path:
    """Trains a run on a cluster.

    Args:
        address: see `ray_at`.
        count: how many workers; each takes a core, or a GPU where the cluster has so many.
        call: trains and returns the run, such as a partial of `mnistry.train`. It is pickled, and called in
            each worker; the host of worker 0 has to have its folder of runs, every host its data.

    Returns:
        The run folder, as worker 0 names it.

    Raises:
        ClusterError: no cluster can be reached there, or a worker failed.
    """
    with ray_at(address, cpus=count) as ray, tempfile.TemporaryDirectory() as notes:
        from ray.train.v2.api.config import FailureConfig, RunConfig, ScalingConfig
        from ray.train.v2.jax import JaxTrainer
        from ray.train.v2.jax.config import JaxConfig

        has_gpus = ray.cluster_resources().get("GPU", 0) >= count
        trainer = JaxTrainer(
            _train_in_worker,
            train_loop_config={"count": count, "call": call},
            # Only with `use_gpu` the workers are made one. On which platform, says JAX_PLATFORMS.
            jax_config=JaxConfig(use_gpu=True),
            scaling_config=ScalingConfig(num_workers=count, use_gpu=has_gpus),
            run_config=RunConfig(
                storage_path=notes,
                failure_config=FailureConfig(max_failures=0),
                worker_runtime_env={"env_vars": {"JAX_PLATFORMS": "cuda" if has_gpus else "cpu"}},
            ),
        )
        try:
            result: Any = trainer.fit()
        except Exception as error:  # of Ray's many kinds
            raise failure(error) from error
        return Path(str(result.return_value))


def _train_in_worker(config: dict[str, Any]) -> str:
    from mnistry.training import processes

    if processes.count() != config["count"]:
        raise TrainingError(
            f"{config['count']} workers were started, and JAX knows of {processes.count()}: each would train "
            "by itself"
        )
    return str(config["call"]().path)
