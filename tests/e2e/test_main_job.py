"""The main job as a Python user writes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from origin import Origin
from pyspark.errors import IllegalArgumentException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

ROOT = Path(__file__).resolve().parents[2]


def patients_config(origin: Origin, scratch: Path) -> Path:
    """The config that the README explains, with the places of this test."""
    text = (ROOT / "configs" / "patients.yaml").read_text()
    text = text.replace("http://127.0.0.1:8080", origin.url)
    text = text.replace("spark-warehouse/_apisink", str(scratch / "journal"))
    text = text.replace("max_requests_per_second: 50", "max_requests_per_second: 5000")
    text = text.replace('"{{env.PATIENTS_API_TOKEN}}"', "token-of-the-test")
    file = scratch / "patients.yaml"
    file.write_text(text)
    return file


def patients(spark: SparkSession, count: int) -> DataFrame:
    city = F.element_at(F.array(F.lit("Zürich"), F.lit("Köln")), (F.col("id") % 2 + 1).cast("int"))
    return spark.range(count).select(
        F.format_string("t-%05d", "id").alias("tracking_id"),
        (F.col("id") + 1000).alias("patient_id"),
        F.concat(F.lit("name "), F.col("id")).alias("name"),
        F.struct(city.alias("city")).alias("address"),
    )


@pytest.fixture
def sink(spark: SparkSession) -> str:
    spark.sql("DROP TABLE IF EXISTS default.patient_responses")
    return "default.patient_responses"


def test_a_dataframe_goes_out_over_http_and_its_answers_are_in_delta(
    spark: SparkSession, scratch: Path, sink: str
) -> None:
    with Origin.start("--bearer", "token-of-the-test", "--fail-first", "1:503") as origin:
        source = patients(spark, 500)
        config = str(patients_config(origin, scratch))
        source.write.format("apisink").option("config", config).mode("append").save()

        rows = spark.table(sink)
        joined = source.join(rows, "tracking_id", "full")
        assert joined.count() == 500
        assert joined.where("outcome is null or outcome <> 'success' or attempts <> 2").isEmpty()
        assert joined.where("not contains(url, concat('/v1/patient/', patient_id))").isEmpty()
        seen = origin.report()
        assert seen["requests"] == 1000 and seen["keys"] == 500
        assert {entry["key"] for entry in origin.keys()} == {r.request_id for r in rows.select("request_id").collect()}


def test_a_finished_run_is_not_done_again(spark: SparkSession, scratch: Path, sink: str, origin: Origin) -> None:
    writer = patients(spark, 50).write.format("apisink").option("config", str(patients_config(origin, scratch)))
    for _ in range(2):
        writer.option("runId", "nightly").mode("append").save()
    assert origin.report()["requests"] == 50
    assert spark.table(sink).count() == 50


def test_save_needs_no_mode(spark: SparkSession, scratch: Path, sink: str, origin: Origin) -> None:
    patients(spark, 20).write.format("apisink").option("config", str(patients_config(origin, scratch))).save()
    assert spark.table(sink).count() == 20


def test_a_bad_config_is_refused_with_its_place_and_nothing_is_sent(
    spark: SparkSession, scratch: Path, origin: Origin
) -> None:
    config = patients_config(origin, scratch)
    config.write_text(config.read_text().replace("partitions: 4", "partitons: 4"))
    with pytest.raises(IllegalArgumentException) as refused:
        patients(spark, 5).write.format("apisink").option("config", str(config)).mode("append").save()
    message = str(refused.value)
    assert "did you mean `partitions`?" in message and "patients.yaml:9:3" in message, message
    assert "\tat " not in message, "a person wants the message, not Spark's stack"
    assert origin.report()["requests"] == 0
