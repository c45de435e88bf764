"""Runs a bare hyper loop, apisink and the aiohttp job side by side against one server and reports their ratios; then
what the aiohttp job is not compared with, a job that is held back by its rate limit, and the latency that is added.

    make bench                                              all of it, five rounds, into docs/performance.md
    make bench ARGS="--rounds 1"                            a look
    make bench ARGS="--rounds 1 --only 2 --more 6 --limited"    a look at these pieces and no others

Rounds are interleaved, so that a machine that becomes slower becomes slower for all of them; figures are medians. CPU
is that of whole process trees, the server's apart.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import IO

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import report
import work
from arrivals import Arrivals
from machine import machine

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BIN = ROOT / "target" / "release"

LOOP, APISINK, AIOHTTP = "bare hyper loop", "apisink", "aiohttp job"
WORKS = [
    work.Work(rows=300_000, in_flight=64, latency_ms=0),
    work.Work(rows=300_000, in_flight=512, latency_ms=0),
    work.Work(rows=50_000, in_flight=64, latency_ms=20),
    work.Work(rows=150_000, in_flight=512, latency_ms=20),
]
# What a row costs is compared in these two.
FEW, MANY = work.Work(rows=100_000, in_flight=64, latency_ms=0), work.Work(rows=1_000_000, in_flight=64, latency_ms=0)
# What the aiohttp job is not compared with: other answers, what more rows cost, and TLS. Of many rows, as far as the
# disk can take them: what a Spark job costs whatever its rows cost would be most of a small one.
MORE = [
    FEW,
    MANY,
    work.Work(rows=150_000, in_flight=64, latency_ms=0, answer_bytes=10_000),
    work.Work(rows=2_000, in_flight=64, latency_ms=0, answer_bytes=1_000_000),
    work.Work(rows=2_000, in_flight=512, latency_ms=0, answer_bytes=1_000_000),
    work.Work(rows=300_000, in_flight=64, latency_ms=0, http="tls"),
    work.Work(rows=300_000, in_flight=64, latency_ms=0, http="tls http2"),
    work.Work(rows=150_000, in_flight=64, latency_ms=0, answer_bytes=10_000, gzip=True),
]
# What a job costs whatever its rows cost.
SMALL = work.Work(rows=1_000, in_flight=64, latency_ms=0)
# A job that waits for its rate limit most of its time, five minutes of it: what its 200 tasks cost does not depend on
# how long they wait.
LIMITED = work.Work(rows=9_000, in_flight=64, latency_ms=20, partitions=200, limit=30)
MORE_ROUNDS = 3
# Of less than half a second each, for each round of the others.
LATENCY_ROUNDS = 30
# The aiohttp job is so much slower that fewer rows say as much.
AIOHTTP_ROWS = 50_000


@dataclass(frozen=True)
class Measured:
    """One run: its rows, requests per second over all of it and while sending, CPU seconds per 100,000 requests,
    seconds from the job's beginning to its first request, and the most memory that its JVM held, in MB."""

    rows: int
    rate: float
    sending_rate: float
    cpu: float
    server_cpu: float
    to_first: float
    memory: float


@dataclass(frozen=True)
class HeldBack:
    """A run with a rate limit: the share of the limit that was used while sending, and the CPU of its processes over
    all of the run, as a share of one core."""

    work: work.Work
    used: float
    cpu: float


Results = dict[str, dict[str, list[Measured]]]


class Server:
    """`certificate` is what to trust of one that speaks TLS."""

    def __init__(self, process: subprocess.Popen[str], url: str, certificate: str) -> None:
        self.process = psutil.Process(process.pid)
        self.url = url
        self.certificate = certificate
        self.context = ssl.create_default_context(cafile=certificate) if certificate else None

    def reset(self) -> None:
        request = urllib.request.Request(self.url + "/_origin/reset", method="POST")
        urllib.request.urlopen(request, context=self.context).close()

    def arrivals(self) -> Arrivals:
        with urllib.request.urlopen(self.url + "/_origin/report", context=self.context) as answer:
            return Arrivals.of(json.load(answer))


@contextmanager
def server(w: work.Work, directory: Path) -> Iterator[Server]:
    latency = f"fixed:{w.latency_ms}ms" if w.latency_ms else "none"
    command = [str(BIN / "apisink-origin"), "--exit-with-stdin", "--no-recording", "--latency", latency]
    command += ["--body-bytes", str(w.answer_bytes)] if w.answer_bytes else []
    command += ["--gzip"] if w.gzip else []
    certificate = str(directory / "origin.pem") if w.http != "http1" else ""
    command += ["--tls-certificate", certificate] if certificate else []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        yield Server(process, process.stdout.readline().split()[-1].rstrip("/"), certificate)
        process.stdin.close()


def cpu_seconds(root: psutil.Process) -> float:
    """Of a process and everything that it has started, those that have ended included."""
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


class Job:
    """A Spark job in a process of its own, warm from one piece of work to the next."""

    def __init__(self, script: str, directory: Path) -> None:
        environment = {**os.environ, "BENCH_DIRECTORY": str(directory), "PYTHONPATH": str(HERE)}
        environment.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
        self.child = subprocess.Popen(
            [sys.executable, str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(directory / f"{script}.log").open("w"),
            text=True,
            env=environment,
        )
        self.log = directory / f"{script}.log"
        self.tree = psutil.Process(self.child.pid)

    @property
    def jvm(self) -> psutil.Process:
        return next(child for child in self.tree.children(recursive=True) if "java" in child.name())

    def forget_most_memory(self) -> None:
        """From now on: see proc(5), clear_refs."""
        Path(f"/proc/{self.jvm.pid}/clear_refs").write_text("5")

    def most_memory(self) -> float:
        """In MB, since it was forgotten."""
        status = Path(f"/proc/{self.jvm.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024

    def run(self, w: work.Work) -> float:
        stdin, stdout = self.pipe(self.child.stdin), self.pipe(self.child.stdout)
        shutil.rmtree(w.sink, ignore_errors=True)
        stdin.write(work.to_line(w))
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            sys.exit(f"the job ended:\n{self.log.read_text()[-4000:]}")
        return float(json.loads(answer)["seconds"])

    @staticmethod
    def pipe(stream: IO[str] | None) -> IO[str]:
        assert stream
        return stream

    def close(self) -> None:
        self.pipe(self.child.stdin).close()
        self.child.wait(timeout=60)


def run_loop(w: work.Work) -> tuple[float, float]:
    command = [str(BIN / "apisink-bare-loop"), w.url.split("://")[1]]
    command += ["--requests", str(w.rows), "--in-flight", str(w.in_flight)]
    command += ["--tls-certificate", w.certificate] if w.certificate else []
    command += ["--http2"] if w.http == "tls http2" else []
    before = ended_children_cpu()
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(json.loads(printed)["seconds"]), ended_children_cpu() - before


def ended_children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", type=int, action="append", help="number of a piece of the first table, from 1")
    parser.add_argument("--more", type=int, action="append", help="number of a piece of the second table, from 1")
    parser.add_argument("--limited", action="store_true", help="the job that is held back")
    parser.add_argument("--latency", action="store_true", help="the latency that is added")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows, for a look")
    parser.add_argument("--write", type=Path, help="Markdown file to write; its plot is written beside it")
    arguments = parser.parse_args()
    everything = not (arguments.only or arguments.more or arguments.limited or arguments.latency)
    if arguments.write and not everything:
        parser.error("a page is written of all pieces")

    def wanted(works: list[work.Work], numbers: list[int] | None) -> list[work.Work]:
        return [w for number, w in enumerate(works, 1) if everything or number in (numbers or [])]

    works, more_works = wanted(WORKS, arguments.only), wanted(MORE, arguments.more)
    results: Results = defaultdict(lambda: defaultdict(list))
    more: Results = defaultdict(lambda: defaultdict(list))
    sections = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="apisink-bench-")))
        jobs: dict[str, Job] = {}
        if works or more_works or everything or arguments.limited:
            jobs[APISINK] = Job("apisink_job.py", directory)
            stack.callback(jobs[APISINK].close)
        if works:
            jobs[AIOHTTP] = Job("aiohttp_job.py", directory)
            stack.callback(jobs[AIOHTTP].close)

        def piece(w: work.Work, rows: int, origin: Server) -> work.Work:
            sink = str(directory / "sink")
            return replace(w, rows=rows, url=origin.url, sink=sink, certificate=origin.certificate)

        def rows_of(name: str, w: work.Work) -> int:
            return int((AIOHTTP_ROWS if name == AIOHTTP else w.rows) * arguments.scale)

        with server(WORKS[0], directory) as warm:
            for name, job in jobs.items():
                for _ in range(work.WARM_UPS):
                    job.run(piece(WORKS[0], rows_of(name, WORKS[0]), warm))
                print(f"warm: {name}", file=sys.stderr)

        def take_turns(w: work.Work, names: tuple[str, ...], results: dict[str, list[Measured]]) -> None:
            with server(w, directory) as origin:
                for name in names:
                    measured = measure(name, piece(w, rows_of(name, w), origin), origin, jobs.get(name))
                    results[name].append(measured)
                    print(f"{w.title}: {name} {measured}", file=sys.stderr)

        for _ in range(arguments.rounds):
            for w in works:
                take_turns(w, (LOOP, APISINK, AIOHTTP), results[w.name])
        jobs.pop(AIOHTTP, None)
        for _ in range(min(arguments.rounds, MORE_ROUNDS)):
            for w in more_works:
                take_turns(w, (LOOP, APISINK), more[w.title])
            if {FEW, MANY} <= set(more_works):
                take_turns(SMALL, (APISINK,), more[SMALL.title])
        table = medians(results)
        sections += [report.table(table, LOOP, APISINK, AIOHTTP)] if works else []
        more_table = medians(more)
        small = more_table.pop(SMALL.title, None)
        sections += [report.more(more_table, LOOP, APISINK)] if more_works else []
        if small:
            few, many = (more_table[w.title][APISINK] for w in (FEW, MANY))
            sections.append(report.many_rows(small[APISINK], few, many))
        if everything or arguments.limited:
            with server(LIMITED, directory) as origin:
                held_back = piece(LIMITED, int(LIMITED.rows * arguments.scale), origin)
                for _ in range(work.WARM_UPS):
                    jobs[APISINK].run(replace(held_back, limit=None))
                held = hold_back(held_back, origin, jobs[APISINK])
            sections.append(report.held_back(held))
    # Without JVMs beside it, which have their own things to do.
    if everything or arguments.latency:
        sections.append(report.latency(added_latency(LATENCY_ROUNDS * arguments.rounds)))
    lines = "\n\n".join(sections)
    print(lines)
    if arguments.write:
        command = "make bench" + (f' ARGS="{" ".join(sys.argv[1:])}"' if arguments.rounds != 5 else "")
        report.write(arguments.write, lines, table, machine(), command, arguments.rounds, MORE_ROUNDS)


def measure(name: str, w: work.Work, origin: Server, job: Job | None) -> Measured:
    origin.reset()
    server_before = cpu_seconds(origin.process)
    if job is None:
        seconds, cpu = run_loop(w)
        memory = 0.0
    else:
        job.forget_most_memory()
        before = cpu_seconds(job.tree)
        seconds = job.run(w)
        cpu = cpu_seconds(job.tree) - before
        memory = job.most_memory()
    seen = arrived(name, w, origin)
    server_cpu = cpu_seconds(origin.process) - server_before
    per = 100_000 / w.rows
    to_first = max(0.0, seconds - seen.since_first)
    return Measured(w.rows, w.rows / seconds, w.rows / seen.seconds, cpu * per, server_cpu * per, to_first, memory)


def arrived(name: str, w: work.Work, origin: Server) -> Arrivals:
    seen = origin.arrivals()
    if seen.requests != w.rows:
        sys.exit(f"{name}: the server has seen {seen.requests} requests for {w.rows} rows")
    return seen


def hold_back(w: work.Work, origin: Server, job: Job) -> HeldBack:
    assert w.limit
    origin.reset()
    before = cpu_seconds(job.tree)
    seconds = job.run(w)
    cpu = cpu_seconds(job.tree) - before
    return HeldBack(w, arrived(APISINK, w, origin).used(w.limit), cpu / seconds)


def added_latency(rounds: int) -> dict[str, float]:
    """The figures of `apisink-latency`, in µs."""
    command = [str(BIN / "apisink-latency"), "--json", "--rounds", str(rounds)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def medians(results: Results) -> dict[str, dict[str, Measured]]:
    return {work_name: {name: median(runs) for name, runs in by.items()} for work_name, by in results.items()}


def median(runs: list[Measured]) -> Measured:
    return Measured(*(statistics.median(getattr(run, field.name) for run in runs) for field in fields(Measured)))


if __name__ == "__main__":
    main()
