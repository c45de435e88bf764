"""Runs the demo's job and takes a picture of Spark's SQL page with the metrics of the write, for the documentation. Run
by `make pages`; wants a Chromium."""

from __future__ import annotations

import json
import os
import shutil
import sys
import urllib.request

import browser
import run
import submissions
from pyspark.sql import SparkSession

PICTURE = run.ROOT / "docs" / "images" / "sql-metrics.png"

# The node of the write, whose metrics the page shows when it is clicked.
NODE = "[...document.querySelectorAll('g.node')].find(node => node.textContent.includes('AppendData'))"


def main() -> None:
    program = browser.program()
    if program is None:
        sys.exit(f"none of {', '.join(browser.PROGRAMS)} is there")
    shutil.rmtree(run.OUTPUT, ignore_errors=True)
    run.OUTPUT.mkdir()
    with run.server() as url:
        os.environ.update(DEMO_API_URL=url, DEMO_API_TOKEN=run.TOKEN, DEMO_OUTPUT=str(run.OUTPUT))
        with run.spark_session(pages=True) as spark, browser.page(program) as page:
            run.send(spark.createDataFrame(list(submissions.rows(run.ROWS)), submissions.SCHEMA))
            page.open(page_of_the_write(spark), width=1500, height=1200)
            page.until(f"{NODE} !== undefined")
            page.value(f"{NODE}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
            page.until("document.getElementById('plan-viz-details-body').textContent.includes('rows answered')")
            PICTURE.parent.mkdir(exist_ok=True)
            PICTURE.write_bytes(page.picture())
            print(PICTURE.relative_to(run.ROOT))


def page_of_the_write(spark: SparkSession) -> str:
    """The address of the page of the query that has the metrics."""
    context = spark.sparkContext
    listed = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/sql?details=true"
    with urllib.request.urlopen(listed) as answer:
        queries = json.load(answer)
    names = {
        query["id"]: [metric["name"] for node in query["nodes"] for metric in node["metrics"]] for query in queries
    }
    write = next(query for query in names if "rows answered" in names[query])
    return f"{context.uiWebUrl}/SQL/execution/?id={write}"


if __name__ == "__main__":
    main()
