"""The main job with executors in processes of their own, by `spark-submit --jars` as a user would run it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pyspark
from cluster import environment, executor_folders, spark_submit
from origin import Origin

JOB = """
import sys
from pyspark.sql import SparkSession, functions as F

config, rows = sys.argv[1], int(sys.argv[2])
spark = SparkSession.builder.getOrCreate()
source = spark.range(rows).select(F.format_string("t-%05d", "id").alias("tracking_id"), F.lit("x").alias("name"))
source.write.format("apisink").option("config", config).mode("append").save()
"""

CONFIG = """
execution: {{partitions: 8}}
transport: {{tcp_connection: {{limit: 5}}}}
auth: {{type: bearer, token: "{{{{env.CLUSTER_TEST_TOKEN}}}}"}}
endpoint: {{method: POST, base_path: "{url}", url_path: /v1/rows}}
middleware: [{{type: retry}}, {{type: worker_identity}}, {{type: json_body}}]
tables:
  source: {{id_column: tracking_id}}
  sink: {{path: "{sink}"}}
"""


def submit(scratch: Path, *arguments: object, variables: dict[str, str]) -> str:
    job = scratch / "job.py"
    job.write_text(JOB)
    with executor_folders(kept_in=scratch / "work"):
        done = subprocess.run(
            spark_submit(job, *arguments),
            env=environment(variables),
            cwd=scratch,
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr[-6000:]
    return done.stderr


def test_each_executor_process_has_one_pool(scratch: Path, spark: pyspark.sql.SparkSession) -> None:
    """local-cluster: two executors that are processes. The token is in the driver's environment only."""
    with Origin.start("--bearer", "cluster-token", "--latency", "fixed:2ms") as origin:
        config = scratch / "config.yaml"
        config.write_text(CONFIG.format(url=origin.url, sink=scratch / "sink"))
        said = submit(scratch, config, 4000, variables={"CLUSTER_TEST_TOKEN": "cluster-token"})
        rows = spark.read.format("delta").load(str(scratch / "sink"))
        assert rows.where("outcome = 'success'").select("tracking_id").distinct().count() == 4000
        executors = {(r.executor_id, r.pid) for r in rows.select("worker.*").distinct().collect()}
        assert {executor for executor, _ in executors} == {"0", "1"} and len(executors) == 2
        seen = origin.report()
        assert seen["requests"] == 4000 and seen["keys"] == 4000
        assert 2 <= seen["connections"] <= 10, "five connections for each of two executors"
        assert "done: rows=4000 success=4000" in said
        assert "cluster-token" not in said
