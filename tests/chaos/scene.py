"""What a round of chaos happens to: a job on a standalone cluster, its server, its journal and its sink."""

from __future__ import annotations

import math
import random
import shutil
from pathlib import Path

from cluster import PLUGIN
from origin import Origin
from pipeline import pipeline
from processes import wait_until
from standalone import Job, Standalone

ROWS = 1500
PARTITIONS = 4
LIMIT = 300
IN_FLIGHT = 32
FLUSH_SECONDS = 0.5
RUN_ID = "chaos"

JOB = """
import sys
from pyspark.sql import SparkSession, functions as F

config, run, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
spark = SparkSession.builder.getOrCreate()
source = spark.range(rows).select(F.format_string("t-%05d", "id").alias("tracking_id"), F.lit("x").alias("name"))
source.write.format("apisink").option("config", config).option("runId", run).mode("append").save()
"""

# The driver misses an executor that is stopped within seconds, not minutes.
SETTINGS = {
    **PLUGIN,
    "spark.network.timeout": "8s",
    "spark.network.timeoutInterval": "1s",
    "spark.executor.heartbeatInterval": "1s",
    "spark.rpc.askTimeout": "60s",
}


class Scene:
    """One round's. Everything of it is in `folder`."""

    def __init__(self, cluster: Standalone, origin: Origin, folder: Path, dice: random.Random) -> None:
        self.cluster = cluster
        self.origin = origin
        self.folder = folder
        self.dice = dice
        self.sink = folder / "sink"
        self.journal = folder / "journal"
        # Copies of journal files, as runs' directories: what was whole when the fault came, and what it damaged.
        self.kept = folder / "journal-kept"
        self.damaged = folder / "journal-damaged"
        # Task attempts that the fault ended before their last answers were journaled.
        self.lost_attempts = 0

    @property
    def run_directory(self) -> Path:
        return self.journal / RUN_ID

    @property
    def log(self) -> Path:
        return self.folder / "driver.log"

    def start(self) -> Job:
        """The job, for the first time or again: always with the same runId."""
        job, config = self.folder / "job.py", self.folder / "config.yaml"
        job.write_text(JOB)
        config.write_text(
            pipeline(
                self.origin,
                self.sink,
                partitions=PARTITIONS,
                max_requests_per_second=LIMIT,
                max_in_flight=IN_FLIGHT,
                flush_seconds=FLUSH_SECONDS,
                journal_path=str(self.journal),
            )
        )
        return self.cluster.submit(job, config, RUN_ID, ROWS, log=self.log, conf=SETTINGS)

    def requests(self) -> int:
        return int(self.origin.report()["requests"])

    def wait_for_a_random_request(self, job: Job, *, least: float = 0.05, most: float = 0.85) -> str:
        """Until so many rows were sent, as a share of all. Returns where that was."""
        share = self.dice.uniform(least, most)
        job.wait_for_requests(self.origin, math.ceil(share * ROWS), interval=0.005)
        return f"at {share:.0%} of the rows"

    def wait_for_silence(self) -> None:
        """Until no executor is left and the server has no connection open."""
        self.cluster.wait_for_workers()
        wait_until(lambda: self.origin.report()["open_connections"] == 0, "the end of all connections")

    def keep_journal(self) -> None:
        """Copies what is journaled now: nothing of it may be sent again. Finished files never change."""
        self.copy(self.journal_files(), self.kept)

    def copy(self, files: list[Path], to: Path) -> None:
        for file in [self.run_directory / "open.json", *files]:
            copy = to / file.relative_to(self.run_directory)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)

    def journal_files(self) -> list[Path]:
        return sorted(self.run_directory.glob("p*/a*.arrow"))
