"""Jobs in processes of their own: `spark-submit --jars` on clusters whose executors are processes as well."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyspark

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(pyspark.__file__).parent
LOCAL_CLUSTER = "local-cluster[2,1,1024]"
PLUGIN = {"spark.plugins": "io.apisink.ApiSinkPlugin"}
# Short lives: what a JVM spends on its best code does not come back within seconds. Its warnings, such as of an
# archive that is another JVM's, would stand amid what a job prints.
JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xlog:disable -Xlog:all=error:stderr"
QUICK = f"{JVM} -XX:SharedArchiveFile={Path(sys.prefix) / 'spark.jsa'}"
# Settings that suit a few rows.
SMALL = {
    "spark.driver.extraJavaOptions": QUICK,
    "spark.executor.extraJavaOptions": QUICK,
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.ui.enabled": "false",
}


def jars() -> list[Path]:
    """apisink's own jar and those of Delta, as `spark-submit --jars` takes them."""
    found = [ROOT / "dist" / "apisink.jar", *sorted((ROOT / "dist" / "delta").glob("*.jar"))]
    assert len(found) >= 3 and found[0].exists(), "run `make jar` first"
    return found


def spark_submit(
    job: Path,
    *arguments: object,
    conf: Mapping[str, object] | None = None,
    master: str = LOCAL_CLUSTER,
    executors: int = 2,
) -> list[str]:
    """The command that a user would write, with settings that suit a few rows. Tasks begin when all executors, of one
    core each, are there."""
    settings = {
        **SMALL,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.executor.memoryOverhead": "512m",
        "spark.cores.max": executors,
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
        **(conf or {}),
    }
    command = [str(HOME / "bin" / "spark-submit"), "--master", master]
    command += ["--jars", ",".join(map(str, jars()))]
    for name, value in settings.items():
        command += ["--conf", f"{name}={value}"]
    return [*command, str(job), *map(str, arguments)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the driver, with `extra` in it."""
    return {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable, **(extra or {})}


@contextmanager
def executor_folders(kept_in: Path) -> Iterator[None]:
    """local-cluster writes the folders of its executors, their logs in them, below Spark's home: brings them here."""
    work = HOME / "work"
    before = set(work.glob("app-*"))
    try:
        yield
    finally:
        kept_in.mkdir()
        for folder in set(work.glob("app-*")) - before:
            shutil.move(folder, kept_in)
