"""Sends 10,000 submissions to an API that misbehaves, and shows what came of them. Run by `make demo`.

What counts is in `send`: the write is the one that anybody would write. The rest starts the server and Spark, watches,
and prints.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import submissions
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "demo-output"
SINK = OUTPUT / "responses"
LOG = OUTPUT / "spark.log"
ROWS = 10_000
TOKEN = "demo-token-of-no-value"

# How the server behaves. The same seed meets every run of the demo with the same mixture.
SERVER: dict[str, str | list[str]] = {
    "--latency": "lognormal:p50=20ms,p99=200ms",
    "--fail": ["0.03:503", "0.01:429:retry-after=1", "0.006:422"],
    "--reset-before": "0.003",
    "--reset-amid": "0.002",
    "--bearer": TOKEN,
    "--seed": "7",
}

BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


def send(df: DataFrame) -> None:
    df.write.format("apisink").option("config", str(ROOT / "demo" / "submissions.yaml")).mode("append").save()


def main() -> None:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    with server() as url:
        os.environ.update(DEMO_API_URL=url, DEMO_API_TOKEN=TOKEN, DEMO_OUTPUT=str(OUTPUT))
        introduce(url)
        with spark_session() as spark:
            df = spark.createDataFrame(list(submissions.rows(ROWS)), submissions.SCHEMA)
            df.count()
            started = time.monotonic()
            with progress(url):
                send(df)
            took = time.monotonic() - started
            conclude(spark, report(url), took)


@contextlib.contextmanager
def server() -> Iterator[str]:
    command = [str(ROOT / "target" / "release" / "apisink-origin"), "--exit-with-stdin"]
    for flag, values in SERVER.items():
        for value in values if isinstance(values, list) else [values]:
            command += [flag, value]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        yield process.stdout.readline().split()[-1].rstrip("/")
        process.stdin.close()


@contextlib.contextmanager
def spark_session(*, pages: bool = False) -> Iterator[SparkSession]:
    """A local Spark with Delta, and its web pages if asked for. What it says on standard error goes to a file."""
    jars = [ROOT / "dist" / "apisink.jar", *sorted((ROOT / "dist" / "delta").glob("*.jar"))]
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with redirected_stderr(LOG):
        spark = (
            SparkSession.builder.appName("apisink demo")
            .master("local[4]")
            .config("spark.jars", ",".join(map(str, jars)))
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.ui.enabled", str(pages).lower())
            .config("spark.ui.port", "0")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.warehouse.dir", str(OUTPUT / "warehouse"))
            .config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={ROOT}/demo/log4j2.properties")
            .getOrCreate()
        )
        try:
            yield spark
        finally:
            spark.stop()


@contextlib.contextmanager
def redirected_stderr(file: Path) -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    with file.open("ab") as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def report(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url + "/_origin/report") as answer:
        return dict(json.load(answer))


@contextlib.contextmanager
def progress(url: str) -> Iterator[None]:
    """Says how far the run is, as the server sees it: one line that changes on a terminal, else a line every 2 s."""
    ended = threading.Event()
    live = sys.stdout.isatty()

    def watch() -> None:
        sent = 0
        while not ended.wait(0.2 if live else 2):
            seen = report(url)
            if not seen["requests"]:
                continue
            since = (seen["last_arrival_ms"] - seen["first_arrival_ms"]) / 1000
            rate = seen["requests"] / since if since > 0.5 else 0
            failed = sum(count for status, count in seen["responses"].items() if int(status) >= 300)
            failed += sum(count for fault, count in seen["faults"].items() if fault.startswith("reset"))
            share = seen["keys"] / ROWS
            doing = "writing the sink" if seen["requests"] == sent and share > 0.99 else f"{failed:,} failed attempts"
            sent = seen["requests"]
            bar = ("█" * round(30 * share)).ljust(30, "░")
            line = f"  {bar} {seen['keys']:>6,} of {ROWS:,} rows   {rate:>5,.0f} requests/s   {doing}"
            print(f"\r{line}" if live else line, end="" if live else "\n", flush=True)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        print("\r\033[K" if live else "", end="", flush=True)


def introduce(url: str) -> None:
    print(f"{BOLD}apisink demo{PLAIN}: {ROWS:,} submissions to an API that misbehaves")
    print()
    print(f"  server  {url}: answers in 20 ms, sometimes in 200; says 503 to 3%, 429 with Retry-After")
    print("          to 1% and 422 to 0.6% of all requests, and resets 0.5% of them")
    print("  config  demo/submissions.yaml: 4 partitions, at most 1,000 requests/s, 4 attempts a row")
    print("  output  demo-output/ (made anew)")
    print()
    print("Starting Spark …", flush=True)


def heading(text: str) -> None:
    print(f"{BOLD}{text}{PLAIN}")


def conclude(spark: SparkSession, seen: dict[str, Any], took: float) -> None:
    sink = spark.read.format("delta").load(str(SINK))
    heading("The sink's first rows")
    columns = ["tracking_id", "outcome", "status_code as status", "attempts", "round(elapsed_ms, 1) as elapsed_ms"]
    first = sink.orderBy("tracking_id").limit(5)
    show(first.selectExpr(*columns, "substring(response_body, 1, 46) as response_body"))
    heading("Rows that did not succeed, a few of them")
    failed = sink.where("outcome <> 'success'").orderBy("outcome", "status_code", "tracking_id")
    few = failed.dropDuplicates(["outcome", "status_code"]).orderBy("outcome", "status_code")
    show(few.selectExpr(*columns[:4], "substring(error.message, 1, 64) as error"))
    heading("One exchange that needed several attempts")
    tried = sink.where("attempts > 2 and outcome = 'success'").orderBy("tracking_id").limit(1)
    attempts = tried.selectExpr("tracking_id", "posexplode(attempt_log) as (n, a)")
    show(
        attempts.selectExpr(
            "tracking_id",
            "n + 1 as attempt",
            "a.status",
            "substring(a.error, 1, 48) as error",
            "round(a.elapsed_ms, 1) as elapsed_ms",
            "round(a.wait_ms, 1) as wait_ms",
        )
    )
    heading("Summary")
    summarize(sink, seen, took)
    how_to_query()


def show(df: DataFrame) -> None:
    df.show(20, truncate=False)


def summarize(sink: DataFrame, seen: dict[str, Any], took: float) -> None:
    outcomes = {row["outcome"]: row["count"] for row in sink.groupBy("outcome").count().collect()}
    total = sink.where("attempts > 0").agg(
        F.sum("attempts").alias("attempts"),
        F.max("attempts").alias("most"),
        F.expr("percentile(transport.ttfb_ms, array(0.5, 0.95, 0.99)) as answer"),
        F.expr("percentile(elapsed_ms, array(0.5, 0.95, 0.99)) as row"),
    )
    figures = total.first()
    assert figures
    rows = sum(outcomes.values())
    sending = (seen["last_arrival_ms"] - seen["first_arrival_ms"]) / 1000
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items(), key=lambda item: -item[1]))
    print(f"  rows        {rows:,} in the sink: {counts}")
    print(f"  attempts    {figures['attempts']:,}, at most {figures['most']} for a row")
    print(
        f"  rate        {seen['requests'] / sending:,.0f} requests/s while sending; the whole write took {took:.1f} s"
    )
    print(f"  limit       allowed: 1,000 a second; most at the server: {seen['highest_rate_1s']:,}; some arrive late")
    print(f"  latency     of an answer {percentiles(figures['answer'])}")
    print(f"              of a row {percentiles(figures['row'])}; with its waits for the limit and its retries")
    print(f"  server      {seen['requests']:,} requests over {seen['connections']:,} connections")
    print(f"  keys        {seen['keys']:,} idempotency keys, {seen['keys_twice']:,} of them several times: the retries")
    print()


def percentiles(values: list[float]) -> str:
    return ", ".join(f"{name} {value:,.0f} ms" for name, value in zip(("p50", "p95", "p99"), values, strict=True))


def how_to_query() -> None:
    jars = ",".join(
        ["dist/apisink.jar", *(f"dist/delta/{jar.name}" for jar in sorted((ROOT / "dist/delta").glob("*.jar")))]
    )
    print("The Delta table lies in demo-output/responses. To query it:")
    print(
        f"""
{DIM}  .venv/bin/pyspark --jars {jars} \\
    --conf spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension \\
    --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog
  >>> spark.read.format("delta").load("demo-output/responses").groupBy("outcome").count().show(){PLAIN}
"""
    )
    print("What Spark and apisink logged is in demo-output/spark.log.")


if __name__ == "__main__":
    main()
