"""Sends the rows of a Spark DataFrame to an HTTP API and keeps every answer in a Delta table.

    from apisink import configure, run_pipeline

    spark = configure(SparkSession.builder).getOrCreate()
    result = run_pipeline(spark, "configs/patients.yaml")

A thin package: the work is done by the data source `apisink`, whose jar is inside.
"""

from apisink._pipeline import failed, run_pipeline
from apisink._result import RunResult
from apisink._session import configure, jar

__all__ = ["RunResult", "configure", "failed", "jar", "run_pipeline"]
