"""Many pictures on a cluster of two nodes: a driver and a node are killed; an object store holds them."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mnistry.cluster.engine import require
from mnistry.cluster.places import place_of
from mnistry.cluster.reading import read_manifest
from mnistry.errors import ClusterError

ray = pytest.importorskip("ray", reason="Ray has no wheel for this Python or system")
boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")

Rows = list[dict[str, Any]]
RowsOf = Callable[[Path | str], Rows]

pytestmark = pytest.mark.filterwarnings("default")  # Ray warns of what it does itself


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of an object store that speaks as Amazon's does, and is empty but for a bucket."""
    server = moto_server.ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        }.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="scans")
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def cluster(store: str) -> Iterator[Any]:
    """A cluster of two nodes on this machine, to which this process is connected."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 3, "include_dashboard": False})
        ray.init(nodes.address, log_to_driver=False, logging_level="ERROR")
        nodes.second = nodes.add_node(num_cpus=1)
        yield nodes
        ray.shutdown()
        nodes.shutdown()


def written(table: Path, count: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """Waits until a table has so many files."""
    deadline = time.monotonic() + 250
    while len(list(table.glob("*.parquet"))) < count:
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None
        time.sleep(0.02)


@pytest.mark.slow
def test_the_driver_is_killed_and_its_table_gone_on_with(
    cluster: Any, scans: Path, undisturbed: Rows, rows_of: RowsOf, tmp_path: Path
) -> None:
    table = tmp_path / "table"
    command = [sys.executable, "-m", "mnistry", "read", scans, "--out", table, "--rows", "10"]
    driver = subprocess.Popen([*command, "--cluster", cluster.address, "--workers", "2"])
    written(table, 3, driver)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    counts, before = read_manifest([str(scans)], str(table), cluster=cluster.address, workers=2, resume=True)
    assert counts == (300, 2)
    assert 0 < before < 300
    assert rows_of(table) == undisturbed


@pytest.mark.slow
def test_an_object_store(cluster: Any, store: str, scans: Path, undisturbed: Rows, rows_of: RowsOf) -> None:
    files = place_of("s3://scans").filesystem
    names = [f"{number:06}.png" for number in range(12)]
    listed = "\n".join(["uri", *names, "absent.png", "s3://no-such-bucket/a.png"])
    for name in names:
        with files.open_output_stream(f"scans/in/{name}") as file:
            file.write((scans.parent / name).read_bytes())
    with files.open_output_stream("scans/in/list.csv") as file:
        file.write(listed.encode())

    def stored(table: str) -> Rows:
        return rows_of(f"s3://scans/{table}?scheme=http&endpoint_override={store.removeprefix('http://')}")

    manifest = ["s3://scans/in/list.csv"]
    assert read_manifest(manifest, "s3://scans/there", cluster=cluster.address, workers=1)[0] == (14, 2)
    assert read_manifest(manifest, "s3://scans/here", workers=1)[0] == (14, 2)
    assert stored("there") == stored("here")
    good = [row for row in stored("there") if not row["error"]]
    assert good == [row for row in undisturbed if row["uri"] in names]
    assert all("cannot be fetched" in row["error"] for row in stored("there") if row not in good)
    assert read_manifest(["s3://scans/in"], "s3://scans/listed", workers=1) == ((12, 0), 0)
    assert [row["uri"] for row in stored("listed")] == [f"s3://scans/in/{name}" for name in names]


@pytest.mark.slow
def test_a_node_is_killed(
    cluster: Any, scans: Path, undisturbed: Rows, rows_of: RowsOf, tmp_path: Path
) -> None:
    """The last test of the cluster, which has one node after it."""
    table = tmp_path / "table"

    def kill() -> None:
        written(table, 2)
        cluster.remove_node(cluster.second, allow_graceful=False)

    with ThreadPoolExecutor(1) as thread:
        killed = thread.submit(kill)
        counts, _ = read_manifest([str(scans)], str(table), cluster=cluster.address, workers=2, rows=10)
        killed.result()
    assert counts == (300, 2)
    assert len(list(table.glob("*.parquet"))) > 20  # it was killed long before the end
    assert rows_of(table) == undisturbed


def test_without_a_cluster_it_is_said_what_is_expected() -> None:
    with pytest.raises(
        ClusterError, match=r"`cluster='127\.0\.0\.1:1'`: no Ray cluster can be reached there"
    ):
        require("127.0.0.1:1")


def test_without_ray_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"ray, which is not installed: pip install 'mnistry\[cluster\]'"):
        require("local")
