"""Processes that die amid a run: what was journaled is not asked for again, and no row is lost or doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pyspark
from cluster import ROOT, environment, executor_folders, spark_submit
from origin import Origin
from processes import descendants, executors, wait_until

ROWS = 6000

JOB = """
import sys
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
source = spark.range(int(sys.argv[2])).select(F.format_string("t-%05d", "id").alias("tracking_id"))
source.write.format("apisink").option("config", sys.argv[1]).option("runId", "killed").mode("append").save()
"""

CONFIG = """
execution: {{partitions: 4, flush_seconds: 0.2}}
transport: {{tcp_connection: {{limit: 5}}}}
endpoint: {{method: POST, base_path: "{url}", url_path: /v1/rows}}
middleware: [{{type: retry}}, {{type: json_body}}]
tables:
  source: {{id_column: tracking_id}}
  sink: {{path: "{sink}"}}
"""


def start(scratch: Path, origin: Origin) -> subprocess.Popen[str]:
    job, config = scratch / "job.py", scratch / "config.yaml"
    job.write_text(JOB)
    config.write_text(CONFIG.format(url=origin.url, sink=scratch / "sink"))
    log = (scratch / "driver.log").open("a")
    command = spark_submit(job, config, ROWS)
    return subprocess.Popen(command, env=environment(), cwd=scratch, stdout=log, stderr=log, text=True)


def wait_for_requests(origin: Origin, wanted: int, running: subprocess.Popen[str]) -> int:
    def arrived() -> bool:
        assert running.poll() is None, "the job ended before it could be killed"
        return int(origin.report()["requests"]) >= wanted

    wait_until(arrived, f"{wanted} requests")
    return int(origin.report()["requests"])


def assert_each_row_once(spark: pyspark.sql.SparkSession, scratch: Path, origin: Origin) -> None:
    rows = spark.read.format("delta").load(str(scratch / "sink"))
    assert rows.count() == ROWS
    assert rows.where("outcome = 'success'").select("tracking_id").distinct().count() == ROWS
    assert origin.report()["keys"] == ROWS


def journal(*arguments: object) -> str:
    command = [str(ROOT / "dist" / "apisink"), "journal", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def assert_journal_can_be_read(scratch: Path) -> None:
    """By people, without Spark: what a driver that is dead has left."""
    folder = scratch / "sink" / "_apisink"
    listed = journal("ls", folder)
    assert listed.startswith("killed  open") and "; left by process" in listed, listed
    assert "0 damaged files" in journal("show", folder / "killed")
    answers = [json.loads(line) for line in journal("show", folder / "killed", "--rows", "-n", 10).splitlines()]
    assert len(answers) == 10 and {answer["outcome"] for answer in answers} == {"success"}
    assert "killed: kept, open" in journal("gc", folder, "--older-than", "0h", "--remove")


def test_an_executor_that_is_killed_costs_what_was_in_flight(scratch: Path, spark: pyspark.sql.SparkSession) -> None:
    with Origin.start("--latency", "fixed:4ms", "--no-recording") as origin, executor_folders(scratch / "work"):
        running = start(scratch, origin)
        sent = wait_for_requests(origin, 2000, running)
        os.kill(executors(running.pid)[0], signal.SIGKILL)
        assert running.wait(timeout=240) == 0, (scratch / "driver.log").read_text()[-4000:]
        assert_each_row_once(spark, scratch, origin)
        # Not those whose answers were journaled: only what was in flight or not yet flushed.
        assert origin.report()["keys_twice"] < sent / 2


def test_a_driver_that_is_killed_is_gone_on_with(scratch: Path, spark: pyspark.sql.SparkSession) -> None:
    with Origin.start("--latency", "fixed:4ms", "--no-recording") as origin, executor_folders(scratch / "work"):
        running = start(scratch, origin)
        sent = wait_for_requests(origin, 2000, running)
        for pid in descendants(running.pid):
            os.kill(pid, signal.SIGKILL)
        running.wait(timeout=60)
        assert_journal_can_be_read(scratch)
        assert start(scratch, origin).wait(timeout=240) == 0, (scratch / "driver.log").read_text()[-4000:]
        assert "goes on with 4 partitions" in (scratch / "driver.log").read_text()
        assert_each_row_once(spark, scratch, origin)
        assert origin.report()["keys_twice"] < sent / 2
