"""Compares the server's own ledger with the sink and with what was journaled when the fault came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import Row, SparkSession
from scene import FLUSH_SECONDS, IN_FLIGHT, LIMIT, ROWS, Scene


@dataclass(frozen=True)
class Verdict:
    """What became of a round's rows."""

    rows: int
    requests: int
    # Rows of the source that are not in the sink.
    lost: int
    # Rows of the sink beyond the first of their tracking_id.
    duplicates: int
    # Rows of the sink whose answer the server never gave.
    invented: int
    # Keys that the server saw more often than their row in the sink says it was tried.
    resent: int
    # The most of them that are promised.
    allowed: int
    # Rows that were journaled when the fault came, and sent again all the same.
    journaled_resent: int

    def faults(self) -> Iterator[str]:
        """Each promise that was broken."""
        for name in ("lost", "duplicates", "invented", "journaled_resent"):
            if count := getattr(self, name):
                yield f"{name}={count}"
        if self.resent > self.allowed:
            yield f"{self.resent} rows were sent again, more than {self.allowed}"

    def __str__(self) -> str:
        return (
            f"rows={self.rows} requests={self.requests} lost={self.lost} duplicates={self.duplicates}"
            f" invented={self.invented} resent={self.resent} (at most {self.allowed})"
            f" journaled_resent={self.journaled_resent}"
        )


def judge(spark: SparkSession, scene: Scene) -> Verdict:
    keys = {key["key"]: key for key in scene.origin.keys()}
    sink = spark.read.format("delta").load(str(scene.sink))
    rows = sink.select("tracking_id", "request_id", "status_code", "attempts").collect()
    ids = [row.tracking_id for row in rows]
    wanted = {f"t-{number:05d}" for number in range(ROWS)}
    assert set(ids) <= wanted, f"the sink has rows of no source: {sorted(set(ids) - wanted)[:5]}"
    given = {key: set(entry["statuses"]) for key, entry in keys.items()}
    tried = {row.request_id: row.attempts for row in rows}
    kept = [(row.request_id, row.attempts) for row in journal(spark, scene.kept)]
    return Verdict(
        rows=len(rows),
        requests=scene.requests(),
        lost=len(wanted - set(ids)),
        duplicates=len(ids) - len(set(ids)),
        invented=sum(row.status_code not in given.get(row.request_id, ()) for row in rows),
        resent=sum(entry["requests"] > tried.get(key, 0) for key, entry in keys.items()),
        allowed=scene.lost_attempts * round(IN_FLIGHT + LIMIT * FLUSH_SECONDS) + len(journal(spark, scene.damaged)),
        journaled_resent=sum(keys[key]["requests"] > attempts for key, attempts in kept),
    )


def journal(spark: SparkSession, directory: Path) -> list[Row]:
    """The rows of a run's directory, by apisink's own reader, which leaves damaged files out."""
    if not directory.exists():
        return []
    answers = spark.read.format("apisink").option("journal", str(directory)).load()
    return answers.select("request_id", "attempts").collect()
