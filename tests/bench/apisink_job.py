"""The job with apisink: the config that its README begins with, defaults as shipped."""

from __future__ import annotations

import json
from typing import Any

import session
import work
from pyspark.sql import SparkSession

CONFIG = """
execution: {execution}
transport: {transport}
endpoint:
  method: POST
  base_path: "{url}"
  url_path: "/v1/rows"
  headers: {{Accept: "application/json"}}
middleware:
  - type: retry
  - type: logging
  - type: timing
  - type: json_body
tables:
  source: {{id_column: tracking_id}}
  sink: {{path: "{sink}"}}
"""


def config(w: work.Work) -> str:
    """What a work does not ask for keeps its default."""
    transport: dict[str, Any] = {"tcp_connection": {"limit": w.in_flight}}
    if w.certificate:
        transport["http_version"] = "http2" if w.http == "tls http2" else "http1"
        transport["tls"] = {"ca_file": w.certificate}
    execution = {"partitions": w.partitions, "max_requests_per_second": w.limit}
    said = {key: value for key, value in execution.items() if value}
    return CONFIG.format(execution=json.dumps(said), transport=json.dumps(transport), url=w.url, sink=w.sink)


def job(spark: SparkSession, w: work.Work) -> None:
    rows = session.rows(spark, w.rows)
    rows.write.format("apisink").option("configText", config(w)).mode("append").save()


def main() -> None:
    spark = session.start("apisink")
    work.serve(lambda w: job(spark, w))


if __name__ == "__main__":
    main()
