"""`spark-submit --class io.apisink.App`: the exit codes and lines that a scheduler and a person get."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from cluster import HOME, SMALL, environment, jars
from origin import Origin
from pyspark.sql import SparkSession


def app(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """As a user would start it; Delta's settings are the App's own business."""
    apisink, *delta = map(str, jars())
    command = [HOME / "bin" / "spark-submit", "--master", "local[2]", "--jars", ",".join(delta)]
    for name, value in {**SMALL, "spark.apisink.progress.interval": "1ms"}.items():
        command += ["--conf", f"{name}={value}"]
    command += ["--class", "io.apisink.App", apisink, *map(str, arguments)]
    return subprocess.run(
        [*map(str, command)], cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def source(spark: SparkSession, scratch: Path) -> Path:
    rows = spark.range(50).selectExpr("concat('t-', id) AS tracking_id", "concat('p-', id) AS patient_id")
    rows.write.parquet(str(scratch / "source"))
    return scratch / "source"


def write_config(origin: Origin, source: Path) -> Path:
    path = source.parent / "pipeline.yaml"
    path.write_text(f"""
execution: {{partitions: 2}}
endpoint: {{method: POST, base_path: "{origin.url}", url_path: "/v1/patient/{{patient_id}}"}}
middleware: [{{type: json_body}}]
tables:
  source: {{path: "{source}", format: parquet, id_column: tracking_id}}
  sink: {{path: "{source.parent}/sink"}}
""")
    return path


def test_a_pipeline_ends_with_0_a_result_in_json_and_lines_of_progress(
    source: Path, origin: Origin, scratch: Path, spark: SparkSession
) -> None:
    config = write_config(origin, source)
    done = app("--config", config, "--run-id", "nightly", "--json", folder=scratch)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["run_id"] == "nightly" and result["rows"] == 50 and result["failed"] == 0
    assert re.search(r"apisink run nightly: \d+% answered \(\d+ of 50 rows\), [\d,]+/s, ", done.stderr), done.stderr
    assert spark.read.format("delta").load(str(scratch / "sink")).count() == 50

    again = app("--config", config, "--run-id", "nightly", "--json", folder=scratch)
    assert again.returncode == 0 and json.loads(again.stdout)["finished_before"]
    assert origin.report()["requests"] == 50


def test_rows_that_fail_beyond_the_threshold_end_with_3(source: Path, scratch: Path) -> None:
    with Origin.start("--fail-every", "5:404") as failing:
        config = write_config(failing, source)
        beyond = app("--config", config, "--max-failed", "10%", folder=scratch)
        assert beyond.returncode == 3, beyond.stderr
        assert "10 of 50 rows failed, --max-failed is 10%" in beyond.stderr
        within = app("--config", config, "--max-failed", "10", folder=scratch)
        assert within.returncode == 0, within.stderr


def test_what_is_refused_ends_with_2_and_a_failed_run_with_1(source: Path, origin: Origin, scratch: Path) -> None:
    config = write_config(origin, source)
    typo = app("--config", config, "--set", "execution.partitons=3", folder=scratch)
    assert typo.returncode == 2 and "did you mean `partitions`?" in typo.stderr, typo.stderr
    assert "\tat " not in typo.stderr, "no stack trace for a mistake of the user"
    nothing = app(folder=scratch)
    assert nothing.returncode == 2 and "--config is missing" in nothing.stderr

    (scratch / "sink").write_text("in the way")
    failed = app(
        "--config", config, "--set", f"execution.journal_path={scratch}/journal", "--run-id", "r", folder=scratch
    )
    assert failed.returncode == 1
    assert "apisink run r: failed; what was answered is in" in failed.stderr


def test_help_needs_no_session(scratch: Path) -> None:
    told = app("--help", folder=scratch)
    assert told.returncode == 0 and "Exit codes:" in told.stdout
