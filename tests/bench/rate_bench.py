"""How much of a rate limit a standalone cluster with two workers uses, by the server's own log of arrivals.

    make bench-rate                                     into docs/rate.md
    make bench-rate ARGS="--limits 500 --seconds 5"     a look

What leases cost is read from the executors' gauges.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from arrivals import Arrivals  # noqa: E402
from cluster import PLUGIN  # noqa: E402
from gauges import csv_sink, last  # noqa: E402
from machine import machine  # noqa: E402
from origin import Origin  # noqa: E402
from pipeline import pipeline  # noqa: E402
from standalone import Standalone  # noqa: E402

JOB = """
import sys
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
source = spark.range(int(sys.argv[2])).select(F.format_string("t-%07d", "id").alias("tracking_id"))
source.write.format("apisink").option("config", sys.argv[1]).mode("append").save()
"""


@dataclass(frozen=True)
class Measured:
    """One run: its limit, what arrived, and what the executors have counted."""

    limit: int
    arrivals: Arrivals
    highest_1s: int
    stall_ms: float
    round_trips: float
    round_trip_ms: float
    granted: float
    lapsed: float

    @property
    def row(self) -> str:
        cells = [
            f"{self.limit:,}",
            f"{self.arrivals.requests:,}",
            f"{self.highest_1s:,}",
            f"{self.highest_1s / self.limit:.3f}",
            f"{self.stall_ms:.0f} ms",
            f"{self.arrivals.rate:,.0f}/s",
            f"{self.arrivals.used(self.limit):.3f}",
            f"{self.round_trips / self.arrivals.seconds:.1f}/s",
            f"{self.round_trip_ms / max(1.0, self.round_trips):.1f} ms",
            f"{100 * self.lapsed / max(1.0, self.granted):.2f}%",
        ]
        return f"| {' | '.join(cells)} |"


HEADINGS = [
    "limit",
    "requests",
    "most in 1 s",
    "of the limit",
    "server's longest stall",
    "sent",
    "used",
    "lease messages",
    "round trip",
    "slots lapsed",
]


def measure(limit: int, seconds: int, folder: Path) -> Measured:
    folder.mkdir()
    gauges, job, config = folder / "gauges", folder / "job.py", folder / "config.yaml"
    job.write_text(JOB)
    conf = {**PLUGIN, **csv_sink(gauges)}
    with Origin.start("--no-recording") as origin, Standalone.start(folder) as cluster:
        config.write_text(pipeline(origin, folder / "sink", partitions=2, max_requests_per_second=limit))
        log = folder / "driver.log"
        cluster.submit(job, config, limit * seconds, log=log, conf=conf).succeed(60 + 20 * seconds)
        seen = origin.report()

    def told(name: str) -> float:
        return sum(last(gauges, name))

    return Measured(
        limit,
        Arrivals.of(seen),
        seen["highest_rate_1s"],
        seen["longest_stall_ms"],
        told("leases.roundTrips"),
        told("leases.roundTripMs"),
        told("slots.granted"),
        told("slots.lapsed"),
    )


def page(measured: list[Measured], command: str) -> str:
    load = os.getloadavg()[0]
    lines = [f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS), *(one.row for one in measured)]
    return f"""# The rate limit, measured

Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}, on {machine()}, load average {load:.1f} at the end.
A standalone cluster with two workers of a core each, the plugin on both; master, workers, driver and the server share
the machine. Arrivals are those of the server's own log.

{chr(10).join(lines)}

- *most in 1 s*: the most arrivals within any second, where (limit + 1) × 1.05 is promised. Requests that were written
  apart arrive together when the server does not run meanwhile: for each 100 ms of its *longest stall* a tenth of the
  limit may come on top.
- *sent*, *used*: from the first arrival to the last, and its share of the limit. Spark's start, planning and the Delta
  append are left out.
- *lease messages*: wishes for slots that the driver has answered, of both executors together; *round trip* is from wish
  to answer.
- *slots lapsed*: of those that the driver has given, what came too late or was not needed.

[How the limit is kept](guides/rate.md).
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limits", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--seconds", type=int, default=30, help="of sending at each limit")
    parser.add_argument("--write", type=Path, help="the page to write")
    arguments = parser.parse_args()
    measured = []
    with tempfile.TemporaryDirectory(prefix="apisink-rate-") as scratch:
        for limit in arguments.limits:
            measured.append(measure(limit, arguments.seconds, Path(scratch) / str(limit)))
            print(measured[-1], flush=True)
    text = page(measured, "make bench-rate")
    print(text)
    if arguments.write:
        arguments.write.write_text(text)


if __name__ == "__main__":
    main()
