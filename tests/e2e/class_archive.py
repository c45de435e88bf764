"""Writes an archive of Spark's classes, as JVMs load them quickest (https://openjdk.org/jeps/350): the tests start a
hundred of them. `make test-e2e` has it written once for an environment; a JVM that cannot use it ignores it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from cluster import JVM, environment, executor_folders, spark_submit

JOB = """
import sys
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
rows = spark.range(100).select(F.format_string("t-%05d", "id").alias("tracking_id"), F.lit("x").alias("name"))
rows.write.format("delta").save(sys.argv[1])
spark.read.format("delta").load(sys.argv[1]).groupBy("name").count().collect()
"""


def write(archive: Path) -> None:
    """From the classes that a driver has loaded; those of executors are among them."""
    with tempfile.TemporaryDirectory() as folder:
        job, written = Path(folder, "job.py"), Path(folder, "spark.jsa")
        job.write_text(JOB)
        options = f"{JVM} -XX:ArchiveClassesAtExit={written}"
        command = spark_submit(job, Path(folder, "table"), conf={"spark.driver.extraJavaOptions": options})
        with executor_folders(kept_in=Path(folder, "executors")):
            done = subprocess.run(command, env=environment(), cwd=folder, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0 and written.exists(), done.stderr[-4000:]
        archive.write_bytes(written.read_bytes())


if __name__ == "__main__":
    write(Path(sys.argv[1]).resolve())
