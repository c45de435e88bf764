"""The result of the chaos suite as a page."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark
from cluster import jars
from faults import KINDS
from machine import machine
from scene import FLUSH_SECONDS, IN_FLIGHT, LIMIT, PARTITIONS, ROWS

if TYPE_CHECKING:
    from chaos import Round

HEAD = (
    "| fault | rounds | rows | requests | sent again in a round, most | allowed | lost | twice in the sink |"
    " journaled and sent again | rounds that broke a promise |\n|---|---|---|---|---|---|---|---|---|---|"
)


def table(rounds: Sequence[Round]) -> str:
    lines = [HEAD]
    for kind in KINDS:
        of_kind = [round_ for round_ in rounds if round_.kind == kind]
        judged = [round_.verdict for round_ in of_kind if round_.verdict]
        if of_kind:
            worst = max(judged, key=lambda verdict: verdict.resent, default=None)
            cells = [
                kind,
                len(of_kind),
                sum(verdict.rows for verdict in judged),
                sum(verdict.requests for verdict in judged),
                worst.resent if worst else "",
                worst.allowed if worst else "",
                sum(verdict.lost for verdict in judged),
                sum(verdict.duplicates for verdict in judged),
                sum(verdict.journaled_resent for verdict in judged),
                sum(bool(round_.faults) for round_ in of_kind),
            ]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def write(path: Path, rounds: Sequence[Round], command: str) -> None:
    kinds = "\n".join(f"- *{kind}*: {fault.__doc__}" for kind, fault in KINDS.items())
    path.write_text(
        f"""# Chaos

Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}: {len(rounds)} rounds on {machine()};
{versions()}. The seed chooses kinds, points and amounts; where exactly a fault hits is up to the machine.

A round is one job by `spark-submit` on a standalone master with two workers of one core each: {ROWS} rows in
{PARTITIONS} partitions, at most {LIMIT} requests a second and {IN_FLIGHT} in flight per executor, {FLUSH_SECONDS} s
between flushes, answers after 5 to 40 ms, 5% of them 503 and tried again. The fault comes at a random point. When the
run is done and every process of it is gone, the server's own ledger of idempotency keys is compared with the sink, and
with the journal as it was when the fault came.

{table(rounds)}

- *sent again*: keys that the server saw more often than their row in the sink says it was tried, in the worst round of
  the kind.
- *allowed*: for each task attempt that the fault ended, what may be in flight and one flush interval's answers
  ({IN_FLIGHT} + {LIMIT} × {FLUSH_SECONDS}); and the rows of journal files that were cut.
- Each row of the sink also has a status that the server really gave to its key: else its round would be one that broke
  a promise.

## Faults

{kinds}

`make chaos` does it anew; `tests/chaos/test_chaos.py`, a few rounds of different kinds, is part of `make test`.
"""
    )


def versions() -> str:
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    java = re.search(r'version "([^"]+)"', said)
    delta = next(jar.stem for jar in jars() if jar.stem.startswith("delta-spark"))
    return f"Spark {pyspark.__version__}, {delta}, Java {java[1] if java else 'unknown'}"
