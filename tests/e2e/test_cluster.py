"""The main job with executors in processes of their own, by `spark-submit --jars` as a user would run it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from cluster import PLUGIN, environment, executor_folders, spark_submit
from origin import Origin
from pyspark.sql import SparkSession
from standalone import Standalone

ROWS = 4000

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


VARIABLES = {"CLUSTER_TEST_TOKEN": "cluster-token"}


def on_local_cluster(scratch: Path, job: Path, *arguments: object, conf: Mapping[str, object] | None = None) -> str:
    """Two executors that are processes. Returns what the driver said."""
    with executor_folders(kept_in=scratch / "work"):
        done = subprocess.run(
            spark_submit(job, *arguments, conf=conf),
            env=environment(VARIABLES),
            cwd=scratch,
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr[-6000:]
    return done.stderr


def assert_the_main_job_is_done(scratch: Path, spark: SparkSession, run: Callable[..., str]) -> None:
    """The token is in the driver's environment only."""
    with Origin.start("--bearer", "cluster-token", "--latency", "fixed:2ms") as origin:
        job, config = scratch / "job.py", scratch / "config.yaml"
        job.write_text(JOB)
        config.write_text(CONFIG.format(url=origin.url, sink=scratch / "sink"))
        said = run(job, config, ROWS)
        rows = spark.read.format("delta").load(str(scratch / "sink"))
        assert rows.count() == ROWS
        assert rows.where("outcome = 'success'").select("tracking_id").distinct().count() == ROWS
        executors = {(r.executor_id, r.pid) for r in rows.select("worker.*").distinct().collect()}
        assert {executor for executor, _ in executors} == {"0", "1"} and len(executors) == 2
        seen = origin.report()
        assert seen["requests"] == seen["keys"] == ROWS
        assert 2 <= seen["connections"] <= 10, "five connections for each of two executors"
        assert f"done: rows={ROWS} success={ROWS}" in said
        assert "cluster-token" not in said


def test_on_a_local_cluster_each_row_is_sent_once_over_one_pool_per_executor(
    scratch: Path, spark: SparkSession
) -> None:
    assert_the_main_job_is_done(scratch, spark, partial(on_local_cluster, scratch))


def test_with_the_plugin_and_an_encrypted_rpc_as_the_recipes_have_it(scratch: Path, spark: SparkSession) -> None:
    conf = {
        **PLUGIN,
        "spark.authenticate": "true",
        "spark.authenticate.secret": "between-these-processes",
        "spark.network.crypto.enabled": "true",
        "spark.apisink.requireEncryption": "true",
    }
    assert_the_main_job_is_done(scratch, spark, partial(on_local_cluster, scratch, conf=conf))


def test_on_a_standalone_cluster_each_row_is_sent_once_over_one_pool_per_executor(
    scratch: Path, spark: SparkSession, idle_cluster: Standalone
) -> None:
    """Its workers were started without the token."""
    submit = partial(idle_cluster.submit, log=scratch / "driver.log", variables=VARIABLES)
    assert_the_main_job_is_done(scratch, spark, lambda *arguments: submit(*arguments).succeed())
