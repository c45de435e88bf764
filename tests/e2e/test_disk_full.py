"""A full disk: where answers cannot be kept none are asked for, and what was kept is not asked for again."""

from __future__ import annotations

from pathlib import Path

import pytest
from origin import Origin
from processes import wait_until
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from small_disk import enlarge, may_mount, small_disk

ROWS = 4000

CONFIG = """
execution:
  partitions: 2
  max_requests_per_second: 1000
  flush_seconds: 0.2
  journal_path: "{journal}"
endpoint: {{method: POST, base_path: "{url}", url_path: /v1/rows}}
middleware: [{{type: json_body}}]
tables:
  source: {{id_column: tracking_id}}
  sink: {{path: "{sink}"}}
"""


def write(source: DataFrame, config: Path) -> None:
    source.write.format("apisink").option("config", str(config)).option("runId", "full").mode("append").save()


@pytest.mark.skipif(not may_mount(), reason="only root may mount a small disk")
def test_a_full_disk_stops_the_sending_and_the_run_goes_on_when_there_is_room(
    scratch: Path, spark: SparkSession
) -> None:
    with Origin.start("--body-bytes", "500", "--no-recording") as origin, small_disk(scratch / "disk", "600k") as disk:
        config = scratch / "config.yaml"
        config.write_text(CONFIG.format(url=origin.url, journal=disk / "journal", sink=scratch / "sink"))
        source = spark.range(ROWS).select(F.format_string("t-%05d", "id").alias("tracking_id"))
        with pytest.raises(Exception, match="an answer could not be kept") as failure:
            write(source, config)
        assert "no further row is sent" in str(failure.value) and "No space left" in str(failure.value)
        assert "Give the journal's file system room" in str(failure.value)
        wait_until(lambda: origin.report()["in_flight"] == 0, "the end of what was in flight")
        sent = origin.report()["requests"]
        assert 0 < sent < ROWS / 2, "no row is sent whose answer cannot be kept"
        kept = spark.read.format("apisink").option("journal", str(disk / "journal" / "full")).load()
        before = {row.request_id for row in kept.select("request_id").collect()}
        assert before, "what was answered while there was room"

        enlarge(disk, "64m")
        write(source, config)
        rows = spark.read.format("delta").load(str(scratch / "sink"))
        assert rows.count() == rows.select("tracking_id").distinct().count() == ROWS
        again = {key["key"] for key in origin.keys() if key["requests"] > 1}
        assert len(origin.keys()) == ROWS and not again & before
