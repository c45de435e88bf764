"""A limit on a standalone cluster that is steered amid the run, and one that two runs share: by the server's report."""

from __future__ import annotations

import json
import time
from pathlib import Path

from cluster import PLUGIN
from origin import Origin
from pipeline import pipeline
from processes import wait_until
from pyspark.sql import SparkSession
from standalone import Job, Standalone

# A run for each config, side by side in one application.
JOB = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()

def send(number):
    ids = spark.range(int(sys.argv[1])).select(F.format_string(f"{number}-%06d", "id").alias("tracking_id"))
    write = ids.write.format("apisink").option("config", sys.argv[2 + number]).option("runId", f"run-{number}")
    write.mode("append").save()

runs = len(sys.argv) - 2
with ThreadPoolExecutor(runs) as threads:
    list(threads.map(send, range(runs)))
"""


def submit(cluster: Standalone, scratch: Path, origin: Origin, rows: int, runs: int, **execution: object) -> Job:
    job = scratch / "job.py"
    job.write_text(JOB)
    configs = [scratch / f"config-{number}.yaml" for number in range(runs)]
    for number, config in enumerate(configs):
        config.write_text(pipeline(origin, scratch / f"sink-{number}", flush_seconds=0.5, **execution))
    return cluster.submit(job, rows, *configs, log=scratch / "driver.log", conf=PLUGIN)


def control(scratch: Path, wish: dict[str, object]) -> None:
    """The file appears whole."""
    run = scratch / "sink-0" / "_apisink" / "run-0"
    written = run / ".control.tmp"
    written.write_text(json.dumps(wish))
    written.rename(run / "control.json")


def arrivals(origin: Origin) -> int:
    return int(origin.report()["requests"])


def wait_for_silence(origin: Origin, seconds: float) -> int:
    """Until no request has arrived for so long. Returns how many there were."""
    seen, since = arrivals(origin), time.monotonic()

    def silent() -> bool:
        nonlocal seen, since
        now = arrivals(origin)
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since >= seconds

    wait_until(silent, f"{seconds} s without a request")
    return seen


def test_a_run_on_a_cluster_pauses_and_changes_its_rate_by_its_control_file(
    scratch: Path, idle_cluster: Standalone
) -> None:
    rows = 1200
    with Origin.start("--no-recording") as origin:
        job = submit(idle_cluster, scratch, origin, rows, 1, partitions=2, max_requests_per_second=20)
        job.wait_for_requests(origin, 40)
        control(scratch, {"paused": True})
        # The config's rate would have sent fifty meanwhile. The pause is renewed: it does not end by itself.
        paused_at = wait_for_silence(origin, 5)
        assert paused_at < rows and job.is_running, job.said[-6000:]
        control(scratch, {"maxRequestsPerSecond": 2})
        job.wait_for_requests(origin, paused_at + 3)
        control(scratch, {"maxRequestsPerSecond": 200})
        said = job.succeed()
        seen = origin.report()
        assert seen["requests"] == rows
        assert "paused by " in said and "goes on, for it is not paused any more" in said
        # At the config's rate it would have been a minute.
        origin.assert_rate(200)
        assert seen["highest_rate_1s"] > 25, "the new rate is more than the config's"


def test_a_control_file_that_is_removed_leaves_the_configs_limit(scratch: Path, idle_cluster: Standalone) -> None:
    with Origin.start("--no-recording") as origin:
        job = submit(idle_cluster, scratch, origin, 300, 1, partitions=2, max_requests_per_second=40)
        job.wait_for_requests(origin, 20)
        control(scratch, {"paused": True})
        assert wait_for_silence(origin, 4) < 300
        (scratch / "sink-0" / "_apisink" / "run-0" / "control.json").unlink()
        job.succeed()
        assert arrivals(origin) == 300
        origin.assert_rate(40)


def test_two_runs_of_one_application_share_their_limit(
    scratch: Path, spark: SparkSession, idle_cluster: Standalone
) -> None:
    with Origin.start("--no-recording") as origin:
        submit(idle_cluster, scratch, origin, 200, 2, partitions=1, max_requests_per_second=20).succeed()
        assert arrivals(origin) == 400
        origin.assert_rate(20)
    times = ["min(started_at) AS first", "max(ingested_at) AS last", "count(*) AS rows"]
    sinks = [spark.read.format("delta").load(str(scratch / f"sink-{number}")) for number in range(2)]
    one, other = (sink.selectExpr(*times).collect()[0] for sink in sinks)
    assert one.rows == other.rows == 200
    assert max(one.first, other.first) < min(one.last, other.last), "they sent side by side"
