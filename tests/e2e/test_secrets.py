"""No secret in what a run leaves behind: an API that echoes them, debug logging on, and a grep over all of it."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from cluster import environment, executor_folders, spark_submit
from origin import Origin

# Variables of the driver; those that begin with APISINK_SECRET_ are what {{secret.test:…}} finds in its environment.
# Values that would be changed on their way into JSON, into a URL and into Base64.
SECRETS = {
    "MARKER_TOKEN": "marker-token-4711",
    "MARKER_PASSWORD": 'marker"pass word/4712',
    "MARKER_HEADER": "marker-header-4713",
    "APISINK_SECRET_TEST__QUERY": "marker&query=4714",
    "APISINK_SECRET_TEST__PATH": "marker path 4715",
}
USER = "marker-user"

JOB = """
import os, sys, traceback
from pyspark.sql import SparkSession, functions as F

good, unsinkable, directory = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
source = spark.range(60).select(F.format_string("t-%03d", "id").alias("tracking_id"), F.lit("x").alias("name"))
source.createOrReplaceTempView("source")
source.write.format("apisink").option("config", good).mode("append").save()
insert = f"INSERT INTO apisink.default.rows WITH ('config' = '{good}') SELECT * FROM source"
print(spark.sql(f"EXPLAIN EXTENDED {insert}").head()[0])
spark.read.format("delta").load(os.path.join(directory, "sink")).show(100, truncate=False)
spark.sql(f"DESCRIBE HISTORY delta.`{directory}/sink`").show(100, truncate=False)
try:
    source.write.format("apisink").option("config", unsinkable).mode("append").save()
except Exception:
    traceback.print_exc()
"""

CONFIG = """
execution: {{partitions: 2, journal_path: "{journal}"}}
auth: {auth}
endpoint:
  method: POST
  base_path: "{url}"
  url_path: "/v1/{{{{secret.test:path}}}}/rows?key={{{{secret.test:query}}}}"
  headers: {{X-Api-Key: "{{{{env.MARKER_HEADER}}}}"}}
middleware:
  - {{type: retry, max_attempts: 2, base_delay: 0.01}}
  - {{type: logging, level: debug, to_sink: true}}
  - {{type: timing}}
  - {{type: json_body}}
tables:
  source: {{id_column: tracking_id}}
  sink: {{path: "{sink}", request_headers: true, request_body: true, response_headers: [set-cookie, content-type]}}
"""

AUTH = {
    "bearer": '{type: bearer, token: "{{env.MARKER_TOKEN}}"}',
    "basic": '{type: basic, username: "' + USER + '", password: "{{env.MARKER_PASSWORD}}"}',
}


def forms(secret: str) -> Iterator[str]:
    """A secret as it is, as JSON and as a URL write it."""
    yield secret
    yield secret.replace('"', '\\"')
    yield quote(secret, safe="")
    yield secret.replace(" ", "+")


def wanted() -> list[bytes]:
    pair = f"{USER}:{SECRETS['MARKER_PASSWORD']}".encode()
    found = {form.encode() for secret in SECRETS.values() for form in forms(secret)}
    return [*found, base64.b64encode(pair)]


@pytest.mark.parametrize("kind", sorted(AUTH))
def test_a_run_leaves_no_secret_behind(kind: str, scratch: Path) -> None:
    log4j = scratch / "log4j2.properties"
    log4j.write_text(
        "rootLogger.level = info\nrootLogger.appenderRef.a.ref = console\nappender.c.type = Console\n"
        "appender.c.name = console\nappender.c.target = SYSTEM_ERR\nappender.c.layout.type = PatternLayout\n"
        "appender.c.layout.pattern = %p %c: %m%n%ex\nlogger.ours.name = io.apisink\nlogger.ours.level = trace\n"
        "logger.plans.name = org.apache.spark.sql.execution\nlogger.plans.level = debug\n"
    )
    (scratch / "events").mkdir()
    (scratch / "not-a-directory").write_text("")
    job = scratch / "job.py"
    job.write_text(JOB)
    with Origin.start("--echo", "--fail-every", "7:500", "--fail-every", "11:404") as origin:
        arguments = {"url": origin.url, "auth": AUTH[kind]}
        good, unsinkable = scratch / "good.yaml", scratch / "unsinkable.yaml"
        good.write_text(CONFIG.format(**arguments, journal=scratch / "journal", sink=scratch / "sink"))
        # The sink cannot be made: the answers stay in the journal.
        nowhere = scratch / "not-a-directory" / "sink"
        unsinkable.write_text(CONFIG.format(**arguments, journal=scratch / "journal", sink=nowhere))
        options = f"-Dlog4j2.configurationFile={log4j}"
        settings = {
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": (scratch / "events").as_uri(),
            "spark.driver.extraJavaOptions": options,
            "spark.executor.extraJavaOptions": options,
        }
        command = spark_submit(job, good, unsinkable, scratch, conf=settings)
        with executor_folders(kept_in=scratch / "work"):
            done = subprocess.run(
                command, check=False, env=environment(SECRETS), cwd=scratch, capture_output=True, text=True, timeout=400
            )
        (scratch / "driver.out").write_text(done.stdout)
        (scratch / "driver.err").write_text(done.stderr)
        assert done.returncode == 0, done.stderr[-4000:]
        seen = origin.report()
        assert seen["requests"] > 100 and seen["unauthorized"] == 0

    # The test would be worthless if there were nothing to find.
    assert "io.apisink.exchange" in done.stderr + all_text(scratch / "work")
    assert "ApiSinkWrite" in done.stdout and "***" in done.stdout
    assert list((scratch / "events").rglob("*")), "an event log"
    assert list((scratch / "journal").rglob("*.arrow")), "a journal that was not taken"
    assert list((scratch / "sink").rglob("*.parquet")), "a sink"

    findings = []
    for file in sorted(path for path in scratch.rglob("*") if path.is_file()):
        content = file.read_bytes()
        findings += [f"{secret!r} in {file.relative_to(scratch)}" for secret in wanted() if secret in content]
    assert not findings, "\n".join(findings[:20])


def all_text(directory: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in directory.rglob("*") if path.is_file())
