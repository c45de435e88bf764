"""The Spark session that both jobs of the benchmark run in: local, two tasks at a time, Delta, nothing tuned."""

from __future__ import annotations

import os
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

ROOT = Path(__file__).resolve().parents[2]
CORES = 2


def start(name: str) -> SparkSession:
    jars = [ROOT / "dist" / "apisink.jar", *sorted((ROOT / "dist" / "delta").glob("*.jar"))]
    spark = (
        SparkSession.builder.appName(name)
        .master(f"local[{CORES}]")
        .config("spark.jars", ",".join(map(str, jars)))
        .config("spark.driver.memory", "3g")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.warehouse.dir", os.environ["BENCH_DIRECTORY"] + "/warehouse")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def rows(spark: SparkSession, count: int) -> DataFrame:
    """Small rows, the same for both jobs, made by Spark itself."""

    def text(prefix: str) -> Column:
        return F.concat(F.lit(prefix), F.col("id"))

    amount = (F.col("id") / 2).cast("decimal(12,2)").alias("amount")
    return spark.range(count).select(text("t-").alias("tracking_id"), text("name ").alias("name"), amount)
