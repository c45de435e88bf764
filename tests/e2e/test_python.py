"""The Python package, installed from its wheel, on a real pyspark."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cluster import ROOT, SMALL, environment, jars
from origin import Origin

JOB = """
import json, sys
from pyspark.sql import SparkSession
import apisink

config, source, report, settings, *delta = sys.argv[1:]
builder = SparkSession.builder.master("local[2]").config(map=json.loads(settings)).config("spark.plugins", "")
spark = apisink.configure(builder, delta=delta).getOrCreate()
rows = spark.range(20).selectExpr("concat('t-', id) AS tracking_id", "concat('p-', id) AS patient_id")
rows.write.format("delta").save(source)

no_source = {"tables.source": "{id_column: tracking_id}"}
first = apisink.run_pipeline(spark, config, rows, run_id="first", overrides=no_source)
again = apisink.run_pipeline(spark, config, run_id="second", overrides={"execution.partitions": 2})
dry = apisink.run_pipeline(spark, config, dry_run=True)
sql = spark.sql(f"INSERT INTO apisink.default.rows WITH (config = '{config}', rows = 'config', runId = 'third') "
                "SELECT * FROM delta.`" + source + "`")
try:
    apisink.run_pipeline(spark, config, rows)
    refusal = None
except Exception as error:
    refusal = str(error)
sink = spark.read.format("delta").load(first.sink)
json.dump({
    "first": vars(first), "again": vars(again), "dry": vars(dry), "refusal": refusal,
    "failed": sorted(row.tracking_id for row in apisink.failed(spark, config, "first").collect()),
    "runs": sorted(row.run_id for row in sink.select("run_id").distinct().collect()),
    "plugins": spark.conf.get("spark.plugins"),
}, open(report, "w"))
spark.stop()
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, on top of the tests' own packages."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", home, ROOT / "python"], check=True
    )
    return home


def test_a_pipeline_is_run_from_python_with_the_jar_of_the_wheel(python: Path, origin: Origin, scratch: Path) -> None:
    config = scratch / "pipeline.yaml"
    config.write_text(f"""
endpoint: {{method: POST, base_path: "{origin.url}", url_path: "/v1/patient/{{patient_id}}"}}
middleware: [{{type: json_body}}]
tables:
  source: {{path: "{scratch}/source", id_column: tracking_id}}
  sink: {{path: "{scratch}/sink"}}
""")
    job = scratch / "job.py"
    job.write_text(JOB)
    delta = [str(path) for path in jars()[1:]]
    report = scratch / "report.json"
    subprocess.run(
        [sys.executable, job, config, scratch / "source", report, json.dumps(SMALL), *delta],
        env=environment({"PYTHONPATH": str(python)}),
        check=True,
        timeout=300,
    )
    told = json.loads(report.read_text())
    assert told["first"]["rows"] == 20 and told["first"]["outcomes"] == {"success": 20}
    assert told["again"]["rows"] == 20 and not told["again"]["finished_before"]
    assert told["dry"]["dry_run"] and told["dry"]["sink"] != told["first"]["sink"]
    assert "a DataFrame was handed over, and `tables.source` names files too" in told["refusal"]
    assert told["failed"] == []
    assert told["runs"] == ["first", "second", "third"]
    assert told["plugins"] == "io.apisink.ApiSinkPlugin"
    assert origin.report()["requests"] == 60


def test_configure_replaces_nothing_that_a_builder_has(python: Path) -> None:
    check = """
from pyspark.sql import SparkSession
import apisink
builder = (SparkSession.builder.config("spark.plugins", "a.B").config("spark.jars", "x.jar")
           .config("spark.sql.extensions", "c.D").config("spark.sql.catalog.spark_catalog", "e.F"))
for _ in range(2):
    apisink.configure(builder)
options = builder._options
assert options["spark.plugins"] == "a.B,io.apisink.ApiSinkPlugin", options
assert options["spark.jars"] == f"x.jar,{apisink.jar()}", options
assert options["spark.sql.extensions"] == "c.D,io.delta.sql.DeltaSparkSessionExtension", options
assert options["spark.sql.catalog.spark_catalog"] == "e.F", options
assert options["spark.jars.packages"].startswith("io.delta:delta-spark_"), options
"""
    subprocess.run([sys.executable, "-c", check], env=environment({"PYTHONPATH": str(python)}), check=True, timeout=60)
