"""What the benchmark measures, and how its parts talk to each other."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

# Jobs of full size that nobody measures: while they run the JVM compiles most of what is measured. The job after two of
# them takes a tenth more CPU time than the one after five.
WARM_UPS = 5

SPOKEN = {"http1": "", "tls": ", TLS", "tls http2": ", TLS with HTTP/2"}


@dataclass(frozen=True)
class Work:
    """One line of the result: so many rows, so many of them in flight, a server that takes so long to answer, and how
    large its answers are; small ones unless said otherwise.

    `http` is one of "http1", "tls" (HTTP/1.1 over it) and "tls http2"; `gzip` lets the server compress its answers.
    `certificate` is a file with what to trust. `partitions` and `limit`, in requests per second, are those of a job
    that is held back.
    """

    rows: int
    in_flight: int
    latency_ms: int
    answer_bytes: int | None = None
    http: str = "http1"
    gzip: bool = False
    partitions: int | None = None
    limit: int | None = None
    url: str = ""
    sink: str = ""
    certificate: str = ""

    @property
    def name(self) -> str:
        answers = f", answers of {self.answer_bytes // 1000:,} KB" if self.answer_bytes else ""
        gzip = " in gzip" if self.gzip else ""
        return f"{self.latency_ms} ms, {self.in_flight} in flight{SPOKEN[self.http]}{answers}{gzip}"

    @property
    def title(self) -> str:
        return f"{self.rows:,} rows, {self.name}"


def to_line(work: Work) -> str:
    return json.dumps(asdict(work)) + "\n"


def serve(job: Callable[[Work], None]) -> None:
    """The loop of a job's process: work comes in on standard input, its seconds go out."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        work = Work(**json.loads(line))
        started = time.monotonic()
        job(work)
        print(json.dumps({"seconds": time.monotonic() - started}), file=answers, flush=True)
