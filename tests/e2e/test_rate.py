"""One rate limit for a whole cluster, as the server sees it: its own log of arrivals is what counts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pyspark
import pytest
from cluster import environment, executor_folders, spark_submit
from origin import Origin
from pipeline import pipeline

# Half of all rows have ids that Spark puts into one of the eight partitions.
JOB = """
import sys
from pyspark.sql import SparkSession, functions as F

config, rows = sys.argv[1], int(sys.argv[2])
spark = SparkSession.builder.getOrCreate()
ids = spark.range(rows * 16).select(F.format_string("t-%06d", "id").alias("tracking_id"))
place = F.pmod(F.hash("tracking_id"), F.lit(8))
skewed = ids.where(place == 0).limit(rows // 2).union(ids.where(place != 0).limit(rows - rows // 2))
skewed.write.format("apisink").option("config", config).mode("append").save()
"""


def submit(scratch: Path, config: Path, rows: int, **conf: object) -> str:
    job = scratch / "job.py"
    job.write_text(JOB)
    settings = {f"spark.{name.replace('_', '.')}": value for name, value in conf.items()}
    command = spark_submit(job, config, rows, conf=settings, master="local-cluster[4,1,1024]", executors=4)
    with executor_folders(kept_in=scratch / "work"):
        done = subprocess.run(command, env=environment(), cwd=scratch, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-6000:]
    return done.stderr


@pytest.mark.parametrize(("limit", "rows"), [(5, 100), (30, 400), (500, 5000)])
def test_four_executors_with_the_plugin_share_one_limit_and_use_it(
    limit: int, rows: int, scratch: Path, spark: pyspark.sql.SparkSession
) -> None:
    with Origin.start("--fail", "0.2:503", "--seed", "5") as origin:
        config = scratch / "config.yaml"
        config.write_text(pipeline(origin, scratch / "sink", partitions=8, max_requests_per_second=limit))
        said = submit(scratch, config, rows, plugins="io.apisink.ApiSinkPlugin")
        seen = origin.report()
        sent = spark.read.format("delta").load(str(scratch / "sink"))
        assert sent.where("outcome = 'success'").count() == rows
        assert sent.select("worker.executor_id").distinct().count() == 4
        total = sent.selectExpr("sum(attempts) AS attempts").collect()[0].attempts
        assert seen["requests"] == total > rows, "retries are charged, too"
        origin.assert_rate(limit)
        origin.assert_rate_used(limit)
        assert "fixed share" not in said


def test_without_the_plugin_each_task_has_a_share_and_the_limit_holds(
    scratch: Path, spark: pyspark.sql.SparkSession
) -> None:
    with Origin.start() as origin:
        config = scratch / "config.yaml"
        config.write_text(pipeline(origin, scratch / "sink", partitions=8, max_requests_per_second=100))
        said = submit(scratch, config, 600)
        origin.assert_rate(100)
        assert "each task gets a fixed share of the rate limit, one of 4 parts" in said
        assert spark.read.format("delta").load(str(scratch / "sink")).where("outcome = 'success'").count() == 600
