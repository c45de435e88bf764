"""A native library with middleware of its own, in the place of the one in the jar."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cluster import ROOT, environment, spark_submit
from origin import Origin

JOB = """
import sys
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
source = spark.range(40).select(
    F.format_string("t-%02d", "id").alias("tracking_id"),
    F.when(F.col("id") == 7, None).otherwise("north").alias("region"),
)
source.write.format("apisink").option("config", sys.argv[1]).mode("append").save()
outcomes = spark.read.format("delta").load(sys.argv[2]).groupBy("outcome", "status_code").count().collect()
print("OUTCOMES", sorted((row.outcome, row.status_code, row["count"]) for row in outcomes))
"""

CONFIG = """
execution: {{partitions: 2}}
endpoint: {{method: POST, base_path: "{url}", url_path: /v1/rows}}
middleware:
  - type: retry
  - {{type: custom, name: already_there}}
  - type: json_body
  - type: custom
    name: {name}
    options: {{header: x-stamp}}
    columns: [region]
    secrets: {{pepper: hunter2}}
tables:
  source: {{id_column: tracking_id}}
  sink: {{path: "{sink}"}}
"""


@pytest.fixture(scope="module")
def library() -> Path:
    # With a test, for then dependencies have the features that `make test-rust` has built them with.
    build = ["cargo", "build", "--locked", "--quiet", "--workspace", "--lib", "--test", "transport"]
    subprocess.run(build, check=True, cwd=ROOT)
    return ROOT / "target" / "debug" / "libapisink_example.so"


def submit(scratch: Path, origin: Origin, library: Path, name: str) -> subprocess.CompletedProcess[str]:
    job, config, sink = scratch / "job.py", scratch / "config.yaml", scratch / "sink"
    job.write_text(JOB)
    config.write_text(CONFIG.format(url=origin.url, sink=sink, name=name))
    conf = {"spark.apisink.native.library": library}
    command = spark_submit(job, config, sink, conf=conf, master="local[2]")
    return subprocess.run(command, env=environment(), cwd=scratch, capture_output=True, text=True)


def test_its_middleware_is_run_in_its_place(scratch: Path, library: Path) -> None:
    with Origin.start("--fail-first", "1:409") as origin:
        ended = submit(scratch, origin, library, "stamp")
        assert ended.returncode == 0, ended.stderr[-4000:]
        assert "OUTCOMES [('invalid_row', None, 1), ('success', 409, 39)]" in ended.stdout
        stamps = {request["headers"]["x-stamp"] for request in origin.requests()}
        assert len(stamps) == 1 and stamps.pop().startswith("north-")


def test_a_name_that_it_does_not_know_is_refused_on_the_driver(scratch: Path, library: Path) -> None:
    with Origin.start() as origin:
        ended = submit(scratch, origin, library, "stmp")
        assert ended.returncode != 0 and origin.report()["requests"] == 0
        # spark-submit brings what the job's Python says on either stream to standard output.
        assert "the native library has no middleware `stmp` of its own" in ended.stdout
        assert "did you mean `stamp`?" in ended.stdout
