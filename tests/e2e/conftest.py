"""A real Spark, a real API server and the jar that `make jar` made, for all end-to-end tests."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark
import pytest
from origin import Origin
from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]


def jars() -> list[Path]:
    """apisink's own jar and those of Delta, as `spark-submit --jars` takes them."""
    found = [ROOT / "dist" / "apisink.jar", *sorted((ROOT / "dist" / "delta").glob("*.jar"))]
    assert len(found) >= 3 and found[0].exists(), "run `make jar` first"
    return found


@contextmanager
def executor_folders(kept_in: Path) -> Iterator[None]:
    """local-cluster writes the folders of its executors, their logs in them, below Spark's home: brings them here."""
    work = Path(pyspark.__file__).parent / "work"
    before = set(work.glob("app-*"))
    try:
        yield
    finally:
        kept_in.mkdir()
        for folder in set(work.glob("app-*")) - before:
            shutil.move(folder, kept_in)


@pytest.fixture(scope="session")
def event_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory, event_log: Path) -> Iterator[SparkSession]:
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    warehouse = tmp_path_factory.mktemp("warehouse")
    session = (
        SparkSession.builder.appName("apisink end to end")
        .master("local[2]")
        .config("spark.jars", ",".join(map(str, jars())))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.warehouse.dir", str(warehouse))
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", event_log.as_uri())
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("WARN")
    yield session
    session.stop()


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin.start() as running:
        yield running


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A directory that is gone after the test: sinks and journals are not small."""
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)
