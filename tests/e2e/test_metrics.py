"""What Spark's metric system tells of a run: the driver's Prometheus servlet while it goes on, the executors' own
numbers at the end, beside what the server has counted."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from pathlib import Path

from cluster import LOCAL_CLUSTER, PLUGIN, environment, executor_folders, spark_submit
from gauges import csv_sink, last
from origin import Origin
from pipeline import pipeline
from processes import wait_until

JOB = """
import sys
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
print("pages at", spark.sparkContext.uiWebUrl, flush=True)
source = spark.range(int(sys.argv[2])).select(F.format_string("t-%05d", "id").alias("tracking_id"))
source.write.format("apisink").option("config", sys.argv[1]).mode("append").save()
"""

CONFIG = """
execution: {{partitions: 4}}
endpoint: {{method: POST, base_path: "{url}", url_path: /v1/rows}}
middleware: [{{type: retry, base_delay: 0.01}}, {{type: json_body}}]
tables:
  source: {{id_column: tracking_id}}
  sink: {{path: "{sink}"}}
"""


def command(
    scratch: Path, origin: Origin, rows: int, conf: dict[str, object], master: str, text: str | None = None
) -> list[str]:
    job, config = scratch / "job.py", scratch / "config.yaml"
    job.write_text(JOB)
    config.write_text(text or CONFIG.format(url=origin.url, sink=scratch / "sink"))
    return spark_submit(job, config, rows, conf={**PLUGIN, **conf}, master=master)


def prometheus(url: str) -> dict[str, float]:
    """apisink's gauges by their names within the plugin."""
    with urllib.request.urlopen(url) as answer:
        lines = answer.read().decode().splitlines()
    gauge = re.compile(r"metrics_plugin_io_apisink_ApiSinkPlugin_(\w+)_Value\{.*\} (\S+)$")
    found = (gauge.match(line) for line in lines)
    return {match[1]: float(match[2]) for match in found if match}


def test_the_prometheus_servlet_of_a_local_run_tells_it_while_it_goes_on(scratch: Path) -> None:
    conf: dict[str, object] = {
        "spark.ui.enabled": "true",
        "spark.ui.port": 0,
        "spark.metrics.conf.*.sink.prometheusServlet.class": "org.apache.spark.metrics.sink.PrometheusServlet",
        "spark.metrics.conf.*.sink.prometheusServlet.path": "/metrics/prometheus",
    }
    with Origin.start("--latency", "fixed:100ms") as origin:
        text = CONFIG.format(url=origin.url, sink=scratch / "sink")
        text = text.replace("{partitions: 4}", "{partitions: 4, max_requests_per_second: 2000}")
        line = command(scratch, origin, 10_000, conf, "local[2]", text)
        log = (scratch / "driver.log").open("w")
        running = subprocess.Popen(line, env=environment(), cwd=scratch, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert running.stdout
            said = next(text for text in running.stdout if text.startswith("pages at"))
            pages = said.split()[-1] + "/metrics/prometheus/"

            def under_way() -> dict[str, float]:
                assert running.poll() is None, (scratch / "driver.log").read_text()[-4000:]
                found = prometheus(pages)
                return found if found["inFlight"] > 0 and found["rows"] > 0 else {}

            found = wait_until(under_way, "rows in flight")
            assert found["tasks"] >= 1 and found["connections"] >= 1 and found["bufferedBytes"] > 0
            assert found["attempts"] == found["rows"] and found["failures"] == 0
            assert found["latency_p50Ms"] >= 93
            # What became of slots is never more than were granted; here the process keeps the limit itself.
            assert found["slots_granted"] >= found["slots_spent"] + found["slots_lapsed"]
            assert found["slots_spent"] >= found["attempts"] and found["leases_roundTrips"] == 0
        finally:
            running.kill()
            running.wait()


def test_the_last_numbers_of_all_executors_are_those_of_the_server(scratch: Path) -> None:
    folder = scratch / "metrics"
    conf = csv_sink(folder)
    with Origin.start("--fail-first", "1:503") as origin, executor_folders(kept_in=scratch / "work"):
        line = command(scratch, origin, 2000, conf, LOCAL_CLUSTER)
        done = subprocess.run(line, env=environment(), cwd=scratch, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-4000:]
        seen = origin.report()
    assert len(last(folder, "attempts")) == 2, "one file of each executor"
    assert sum(last(folder, "attempts")) == seen["requests"] == 4000
    assert sum(last(folder, "rows")) == 2000
    assert sum(last(folder, "repeats.throttled")) == seen["responses"]["503"] == 2000
    assert sum(last(folder, "bytesSent")) == seen["bytes_in"]
    assert min(last(folder, "journalBytes")) > 0
    assert sum(last(folder, "slots.granted")) == 0, "there was no limit"


def test_slots_of_leased_limits_are_accounted_for(scratch: Path) -> None:
    folder = scratch / "metrics"
    conf = csv_sink(folder)
    with Origin.start("--no-recording") as origin, executor_folders(kept_in=scratch / "work"):
        # All requests go to the path of the second limit, leased like the general one.
        limits = [{"path": "/v1/rows", "max_requests_per_second": 300}]
        text = pipeline(origin, scratch / "sink", partitions=4, max_requests_per_second=1, limits=limits)
        line = command(scratch, origin, 1500, conf, LOCAL_CLUSTER, text)
        done = subprocess.run(line, env=environment(), cwd=scratch, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-4000:]
        seen = origin.report()
        origin.assert_rate(300)
    granted, spent, lapsed = (last(folder, f"slots.{what}") for what in ("granted", "spent", "lapsed"))
    assert sum(spent) == seen["requests"] == 1500
    # When all rows have ended nobody holds a slot any more.
    assert sum(granted) == sum(spent) + sum(lapsed)
    assert min(spent) > 0, "both executors had their part"
    assert min(last(folder, "leases.roundTrips")) > 0
    assert min(last(folder, "leases.roundTripMs")) > 0
    assert sum(last(folder, "leases.roundTrips")) < sum(spent), "slots are leased in chunks"
