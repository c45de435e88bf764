"""The Spark that tests read sinks with, and the one of the tests that need no cluster."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cluster import SMALL, jars
from pyspark.sql import SparkSession


def local_session(folder: Path) -> SparkSession:
    """Two threads, with apisink and Delta. Event logs and warehouse are in `folder`."""
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    (folder / "events").mkdir()
    session = (
        SparkSession.builder.appName("apisink end to end")
        .master("local[2]")
        .config(map={**SMALL})
        .config("spark.jars", ",".join(map(str, jars())))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", (folder / "events").as_uri())
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("WARN")
    return session
