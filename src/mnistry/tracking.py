"""A run in MLflow: its recipe, its rows of metrics and its files, logged in one line."""

from pathlib import Path

from mnistry.errors import RunError
from mnistry.runs import EVALUATION, MODEL, RECIPE, REPORT
from mnistry.training.command import training_command
from mnistry.training.run import Run

ARTIFACTS = (RECIPE, EVALUATION, MODEL, REPORT)
AT_ONCE = 1000  # metrics that MLflow takes in one request
LONGEST = 6000  # characters of a parameter's value


def log_to_mlflow(
    run: Run | Path | str, *, tracking_uri: str | None = None, experiment: str = "mnistry"
) -> str:
    """Logs a finished run as a run of MLflow.

    Its parameters are the fields of the recipe, the seed and the data; its metrics the rows of
    `metrics.jsonl`, by step, and the test's figures; its artifacts recipe, evaluation, model and report.

    Args:
        run: the run, or its folder.
        tracking_uri: where MLflow keeps its runs; by default, what MLFLOW_TRACKING_URI says.
        experiment: the experiment, which is made where there is none.

    Returns:
        The identifier of MLflow's run.

    Raises:
        RunError: the run is not finished, or MLflow refuses.
    """
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    run = run if isinstance(run, Run) else Run.open(run)
    figures = run.figures
    values = run.recipe.to_json()
    values |= {f"model.{name}": value for name, value in values.pop("model").items()}
    values |= {"seed": run.seed, "data": run.data}
    params = [Param(name, str(value)[:LONGEST]) for name, value in values.items() if value is not None]
    begun = int((run.path / RECIPE).stat().st_mtime * 1000)
    metrics = [
        Metric(name, float(value), begun + int(1000 * row.get("seconds", 0)), int(row["step"]))
        for row in run.history()
        for name, value in row.items()
        if name != "step"
    ]
    ended = int((run.path / EVALUATION).stat().st_mtime * 1000)
    test = {"test_accuracy": figures.get("accuracy"), "test_images": figures.get("n")}
    metrics += [
        Metric(name, float(value), ended, figures["steps"])
        for name, value in test.items()
        if value is not None
    ]
    tags = [RunTag("training_command", training_command(run)), RunTag("fingerprint", run.fingerprint)]
    try:
        client = MlflowClient(tracking_uri=tracking_uri)
        known = client.get_experiment_by_name(experiment)
        home = known.experiment_id if known else client.create_experiment(experiment)
        made = client.create_run(home, start_time=begun, run_name=run.path.name).info.run_id
        client.log_batch(made, params=params, tags=tags)
        for start in range(0, len(metrics), AT_ONCE):
            client.log_batch(made, metrics=metrics[start : start + AT_ONCE])
        for name in ARTIFACTS:
            if (run.path / name).exists():
                client.log_artifact(made, str(run.path / name))
        client.set_terminated(made, end_time=ended)
    except MlflowException as error:
        raise RunError(f"{run.path}: MLflow refuses: {str(error).splitlines()[0]}") from error
    return str(made)
