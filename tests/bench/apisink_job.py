"""The job with apisink: the config that its README begins with, defaults as shipped."""

from __future__ import annotations

import session
import work

CONFIG = """
transport:
  tcp_connection: {{limit: {in_flight}}}
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


def main() -> None:
    spark = session.start("apisink")

    def job(w: work.Work) -> None:
        config = CONFIG.format(in_flight=w.in_flight, url=w.url, sink=w.sink)
        rows = session.rows(spark, w.rows)
        rows.write.format("apisink").option("configText", config).mode("append").save()

    work.serve(job)


if __name__ == "__main__":
    main()
