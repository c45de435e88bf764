"""What Spark alone takes to write the rows that a job leaves in its sink: no job that writes them can be faster.

    make bench-append

Each job's sink is read into nothing and then into another Delta table, in turns, in a warm session; what the second
takes longer is the writing.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import apisink_job
import psutil
import report
import session
import work
from bench import MORE, WORKS, cpu_seconds, server
from pyspark.sql import SparkSession

WARM_UPS = 2
ROUNDS = 5

HEAD = "| rows of | written in a second | CPU seconds per 100,000 |\n|---|---|---|"


@dataclass(frozen=True)
class Spent:
    """Seconds, and CPU seconds of the process and all that it has started."""

    wall: float
    cpu: float

    @staticmethod
    def on(what: Callable[[], object]) -> Spent:
        process = psutil.Process()
        cpu, began = cpu_seconds(process), time.monotonic()
        what()
        return Spent(time.monotonic() - began, cpu_seconds(process) - cpu)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.cpu - other.cpu)


def works() -> list[work.Work]:
    """A small answer, and the large ones that come over one kind of connection."""
    large = [w for w in MORE if w.answer_bytes and w.in_flight == WORKS[0].in_flight]
    return [WORKS[0], *large]


def send(spark: SparkSession, w: work.Work, directory: Path) -> Path:
    """Sends the rows of a work, and says where their responses are."""
    sink = directory / "sink"
    with server(w, directory) as origin:
        apisink_job.job(spark, replace(w, url=origin.url, sink=str(sink), certificate=origin.certificate))
    return sink


def writing(spark: SparkSession, sink: Path, copy: Path) -> Spent:
    """One round: what writing takes beside reading."""
    rows = spark.read.format("delta").load(str(sink))
    reading = Spent.on(lambda: rows.write.format("noop").mode("overwrite").save())
    both = Spent.on(lambda: rows.write.format("delta").save(str(copy)))
    shutil.rmtree(copy)
    return both - reading


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="apisink-bench-") as name:
        directory = Path(name)
        os.environ.update(BENCH_DIRECTORY=name, SPARK_LOCAL_IP="127.0.0.1")
        spark = session.start("append")
        lines = [HEAD]
        for w in works():
            sink = send(spark, w, directory)
            rounds = [writing(spark, sink, directory / "copy") for _ in range(WARM_UPS + ROUNDS)][WARM_UPS:]
            print(f"{w.title}: {rounds}", file=sys.stderr)
            rate = w.rows / statistics.median(spent.wall for spent in rounds)
            cpu = statistics.median(spent.cpu for spent in rounds) * 100_000 / w.rows
            lines.append(report.line([w.title, f"{rate:,.0f}", f"{cpu:,.1f}"]))
            shutil.rmtree(sink)
        spark.stop()
    print("\n".join(lines))


if __name__ == "__main__":
    main()
