"""Instructions of one request, counted by callgrind: what the transport adds to a bare hyper loop, and what a whole
native session does, rows to response batches, within bounds.

Instructions do not depend on what else a machine does, as times do. Those of the kernel are not counted: they are the
same for both. The ratio is what is bounded, for compilers and libraries change both figures alike.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from origin import Origin

PROGRAM = Path(__file__).resolve().parents[2] / "target" / "release" / "apisink-count"
# Two runs, so that what is done once, such as 64 connections, falls out of their difference.
# Thousands, as a session's batches are.
FEW, MANY = 1000, 3000
# Of the instructions of the bare loop over the same HTTP: a few percent more than what there is.
BOUNDS = {"http1": 1.28, "http2": 1.08, "session": 2.55}


def count(way: str, requests: int, address: str) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(PROGRAM)]
    arguments = ["--way", way, "--requests", str(requests), address]
    done = subprocess.run(command + arguments, capture_output=True, text=True, check=False)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    assert done.returncode == 0 and collected, done.stderr
    return int(collected[1])


def per_request(way: str, *flags: str) -> float:
    with Origin.start("--no-recording", *flags) as origin:
        address = origin.url.removeprefix("http://")
        return (count(way, MANY, address) - count(way, FEW, address)) / (MANY - FEW)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    above = []
    for way, bound in BOUNDS.items():
        http, flags = ("http2", ["--http2"]) if way == "http2" else ("http1", [])
        bare, ours = per_request(f"bare-{http}", *flags), per_request(way, *flags)
        ratio = ours / bare
        print(f"{way}: {ours:,.0f} instructions per request, {ratio:.2f} of the bare loop's {bare:,.0f}")
        if ratio > bound:
            above.append(f"{way} takes {ratio:.2f} of the bare loop's instructions, more than {bound}")
    if above:
        sys.exit("; ".join(above))


if __name__ == "__main__":
    main()
