"""Executors that are told to end amid a run (SIGTERM, as cluster managers do): what is in flight is answered within the
grace time, and no longer waited for."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from cluster import PLUGIN, environment, executor_folders, spark_submit
from origin import Origin
from processes import executors, wait_until

ROWS = 3000
IN_FLIGHT = 20
FLUSH_SECONDS = 1
LATENCY_SECONDS = 0.15
GRACE = "spark.apisink.shutdown.grace"

JOB = """
import sys
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
source = spark.range(int(sys.argv[2])).select(F.format_string("t-%05d", "id").alias("tracking_id"))
source.write.format("apisink").option("config", sys.argv[1]).mode("append").save()
"""

CONFIG = """
execution: {{partitions: 4, max_in_flight: 20, flush_seconds: 1}}
endpoint: {{method: POST, base_path: "{url}", url_path: /v1/rows}}
middleware: [{{type: json_body}}]
tables:
  source: {{id_column: tracking_id}}
  sink: {{path: "{sink}"}}
"""


def start(scratch: Path, origin: Origin, grace: str) -> subprocess.Popen[str]:
    job, config = scratch / "job.py", scratch / "config.yaml"
    job.write_text(JOB)
    config.write_text(CONFIG.format(url=origin.url, sink=scratch / "sink"))
    log = (scratch / "driver.log").open("w")
    command = spark_submit(job, config, ROWS, conf={**PLUGIN, GRACE: grace})
    return subprocess.Popen(command, env=environment(), cwd=scratch, stdout=log, stderr=log, text=True)


def end_an_executor(running: subprocess.Popen[str]) -> None:
    """Returns when its process is gone."""
    eldest = executors(running.pid)[0]
    os.kill(eldest, signal.SIGTERM)
    wait_until(lambda: eldest not in executors(running.pid), "the end of the executor")


def test_what_is_in_flight_is_answered_before_an_executor_ends(scratch: Path) -> None:
    with (
        Origin.start("--latency", f"fixed:{LATENCY_SECONDS * 1000:.0f}ms", "--no-recording") as origin,
        executor_folders(scratch / "work"),
    ):
        running = start(scratch, origin, "60s")
        wait_until(lambda: origin.report()["requests"] > 200, "requests")
        end_an_executor(running)
        assert origin.report()["aborted"] == 0
        assert running.wait(timeout=240) == 0, (scratch / "driver.log").read_text()[-4000:]
        seen = origin.report()
        # Answers are kept as well, most times all of them: a file that is not finished when the process goes costs one
        # flush interval at most, as any other death.
        assert seen["keys"] == ROWS and seen["keys_twice"] <= IN_FLIGHT + FLUSH_SECONDS * IN_FLIGHT / LATENCY_SECONDS


def test_answers_that_do_not_come_are_waited_for_no_longer_than_the_grace_time(scratch: Path) -> None:
    with Origin.start("--latency", "fixed:1000s", "--no-recording") as origin, executor_folders(scratch / "work"):
        running = start(scratch, origin, "500ms")
        try:
            wait_until(lambda: origin.report()["in_flight"] >= 20, "requests in flight")
            end_an_executor(running)
            wait_until(lambda: origin.report()["aborted"] > 0, "requests that are given up")
        finally:
            running.kill()
            running.wait()
