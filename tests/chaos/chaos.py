"""Faults at random points of runs on a real standalone cluster, and what became of each row.

make chaos                      50 rounds, the table goes into docs/chaos.md
make chaos ROUNDS=7 SEED=1      a look, or the same faults once more
"""

from __future__ import annotations

import argparse
import random
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import page  # noqa: E402
from faults import KINDS, possible  # noqa: E402
from origin import Origin  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402
from scene import Scene  # noqa: E402
from session import local_session  # noqa: E402
from standalone import Standalone  # noqa: E402
from verdict import Verdict, judge  # noqa: E402


@dataclass(frozen=True)
class Round:
    kind: str
    detail: str
    verdict: Verdict | None
    faults: list[str]
    seconds: float

    def __str__(self) -> str:
        end = "; ".join(self.faults) if self.faults else "ok"
        return f"{self.kind} {self.detail}: {self.verdict or ''} {self.seconds:.0f} s {end}"


def plan(kinds: Iterable[str], rounds: int, seed: int) -> Iterator[tuple[str, random.Random]]:
    """Each kind as often as the others, in an order of their own. A round depends on the seed and its number only."""
    kinds = list(kinds)
    order: list[str] = []
    while len(order) < rounds:
        order += random.Random(f"{seed}/order/{len(order)}").sample(kinds, len(kinds))
    for number, kind in enumerate(order[:rounds], 1):
        yield kind, random.Random(f"{seed}/{number}")


def play(kind: str, dice: random.Random, cluster: Standalone, spark: SparkSession, folder: Path) -> Round:
    """One round, with a server and tables of its own. The folder stays when a promise was broken."""
    folder.mkdir(parents=True)
    begun = time.monotonic()
    cluster.wait_for_workers()
    flags = ["--latency", "uniform:5ms..40ms", "--fail", "0.05:503", "--seed", str(dice.randrange(2**32))]
    with Origin.start(*flags, "--no-recording", "--body-bytes", "200") as origin:
        scene = Scene(cluster, origin, folder, dice)
        detail, verdict = "", None
        try:
            detail = KINDS[kind](scene)
            # What is left of zombies counts as well.
            scene.wait_for_silence()
            verdict = judge(spark, scene)
            broken = list(verdict.faults())
        except AssertionError as failure:
            broken = [" ".join(str(failure).split())[-500:] or "an assertion without words"]
    if not broken:
        shutil.rmtree(folder)
    return Round(kind, detail, verdict, broken, time.monotonic() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no round begins after so many")
    parser.add_argument("--write", type=Path, help="page that the table goes into")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    kinds = possible()
    for kind in KINDS.keys() - set(kinds):
        print(f"left out, for this user may not cause it: {kind}")
    print(f"seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="apisink-chaos-"))
    spark_folder, cluster_folder = folder / "spark", folder / "cluster"
    spark_folder.mkdir()
    cluster_folder.mkdir()
    played: list[Round] = []
    spark = local_session(spark_folder)
    with Standalone.start(cluster_folder) as cluster:
        end = time.monotonic() + arguments.minutes * 60
        for number, (kind, dice) in enumerate(plan(kinds, arguments.rounds, seed), 1):
            if time.monotonic() > end:
                break
            played.append(play(kind, dice, cluster, spark, folder / f"round-{number}"))
            print(f"{number}/{arguments.rounds} {played[-1]}", flush=True)
            if arguments.write:
                # After each round: whoever stops here has the table of those that were played.
                command = f"make chaos ROUNDS={len(played)} SEED={seed}"
                page.write(arguments.write, played, shlex.join(command.split()))
    spark.stop()
    print(page.table(played))
    if any(round_.faults for round_ in played):
        sys.exit(f"promises were broken; what is left of those rounds is in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
