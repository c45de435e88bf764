"""One rate limit for two workers of a standalone cluster, by the server's log, whatever becomes of its processes."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from cluster import PLUGIN
from origin import Origin
from pipeline import pipeline
from processes import wait_until
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from standalone import Job, Standalone

PARTITIONS = 4
FAILING = 0.2

JOB = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
source = spark.read.parquet(sys.argv[2])
source.write.format("apisink").option("config", sys.argv[1]).mode("append").save()
"""


def submit(cluster: Standalone, spark: SparkSession, scratch: Path, origin: Origin, limit: int, rows: int) -> Job:
    """Half of all rows have ids that Spark puts into the first partition."""
    ids = spark.range(rows * 16).select(F.format_string("t-%06d", "id").alias("tracking_id"))
    place = F.pmod(F.hash("tracking_id"), F.lit(PARTITIONS))
    skewed = ids.where(place == 0).limit(rows // 2).union(ids.where(place != 0).limit(rows - rows // 2))
    # Written out, for what `limit` leaves may differ when an executor's part of it is computed again.
    skewed.write.parquet(str(scratch / "source"))
    job, config = scratch / "job.py", scratch / "config.yaml"
    job.write_text(JOB)
    execution = {"partitions": PARTITIONS, "max_requests_per_second": limit, "flush_seconds": 0.5}
    config.write_text(pipeline(origin, scratch / "sink", **execution))
    return cluster.submit(job, config, scratch / "source", log=scratch / "driver.log", conf=PLUGIN)


def victim(cluster: Standalone, job: Job) -> int:
    """The executor that did not read the source: without that one's shuffle files Spark would have to read it anew."""
    reader = re.findall(r"Finished task 0\.0 in stage .* \(executor (\d+)\)", job.said.split("opened with")[0])[-1]
    return next(pid for name, pid in cluster.executors().items() if name != reader)


@pytest.mark.parametrize(
    ("limit", "rows", "kill"), [(5, 100, True), (30, 300, True), (30, 300, False), (500, 4000, True)]
)
def test_two_workers_keep_one_limit_and_use_it(
    limit: int, rows: int, kill: bool, scratch: Path, spark: SparkSession, idle_cluster: Standalone
) -> None:
    with Origin.start("--fail", f"{FAILING}:503", "--seed", "5", "--no-recording") as origin:
        job = submit(idle_cluster, spark, scratch, origin, limit, rows)
        if kill:
            # So early that the busiest seconds are those of the executors that are left.
            job.wait_for_requests(origin, rows // 8)
            os.kill(victim(idle_cluster, job), signal.SIGKILL)
        said = job.succeed()
        seen = origin.report()
        sink = spark.read.format("delta").load(str(scratch / "sink"))
        assert sink.count() == rows
        assert sink.where("outcome = 'success'").select("tracking_id").distinct().count() == rows
        total = sink.selectExpr("sum(attempts) AS attempts").collect()[0].attempts
        assert seen["requests"] > rows, "some were tried again"
        assert seen["requests"] >= total if kill else seen["requests"] == total, "each attempt is counted"
        assert kill or sink.select("worker.executor_id").distinct().count() == 2
        assert ("Lost executor" in said) == kill
        origin.assert_rate(limit)
        origin.assert_rate_used(limit)


def test_when_the_driver_is_dead_its_executors_send_nothing(
    scratch: Path, spark: SparkSession, idle_cluster: Standalone
) -> None:
    with Origin.start("--no-recording") as origin:
        job = submit(idle_cluster, spark, scratch, origin, limit=30, rows=3000)
        job.wait_for_requests(origin, 60)
        job.kill()
        # An executor that lives has connections, and lives on for as long as it has rows: here a minute and a half.
        wait_until(lambda: origin.report()["open_connections"] == 0, "the end of all connections", timeout=60)
        seen = origin.report()
        assert seen["in_flight"] == 0
        assert seen["requests"] < 1000
