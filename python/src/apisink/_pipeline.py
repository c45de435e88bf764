"""A config's whole pipeline, through the data source's options alone: nothing here reaches into the JVM."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from os import PathLike, fspath
from typing import TYPE_CHECKING

from apisink._result import RunResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

_FORMAT = "apisink"


def run_pipeline(
    spark: SparkSession,
    config_path: str | PathLike[str],
    source_df: DataFrame | None = None,
    *,
    run_id: str | None = None,
    dry_run: bool = False,
    take_over: bool = False,
    overrides: Mapping[str, object] | None = None,
) -> RunResult:
    """Sends the rows of `source_df`, or those that the config's `tables.source` names: exactly one must be there.

    :param config_path: on any file system that Hadoop reads
    :param run_id: a run that stopped is gone on with under the same id; a finished one sends nothing. Derived when
        left out
    :param dry_run: renders the requests into the table that the result's `sink` names, and sends nothing
    :param take_over: the driver that holds the run is dead, whatever its lock says
    :param overrides: keys of the config and the values that count instead, as in `{"execution.partitions": 8}`
    :raises pyspark.errors.PySparkException: for what is refused, and for jobs that fail; its message says what to do
    """
    config = fspath(config_path)
    overridden = {f"set.{key}": _yaml(value) for key, value in (overrides or {}).items()}
    rows = source_df
    if rows is None:
        rows = _source(spark, _tables(spark, config, overridden))
    result = str(uuid.uuid4())
    writer = rows.write.format(_FORMAT).options(**overridden).option("config", config).option("result", result)
    if rows is not source_df:
        writer = writer.option("rows", "config")
    if run_id is not None:
        writer = writer.option("runId", run_id)
    writer.option("dryRun", dry_run).option("takeOver", take_over).mode("append").save()
    answer = spark.read.format(_FORMAT).option("resultOf", result).load().first()
    assert answer is not None
    return RunResult.from_json(answer["json"])


def failed(spark: SparkSession, config_path: str | PathLike[str], run_id: str) -> DataFrame:
    """The rows of a run that were not answered with success: tracking_id, outcome, status_code, error, attempts.

    Joined with the source by tracking_id they are the rows to send again, under another run_id.
    """
    tables = _tables(spark, fspath(config_path), {})
    if tables["sink_table"] is not None:
        answers = spark.table(tables["sink_table"])
    else:
        answers = spark.read.format(tables["sink_format"]).load(tables["sink_path"])
    return answers.where((answers.run_id == run_id) & (answers.outcome != "success")).select(
        "tracking_id", "outcome", "status_code", "error", "attempts"
    )


def _tables(spark: SparkSession, config: str, overridden: Mapping[str, str]) -> Row:
    tables = spark.read.format(_FORMAT).options(**overridden).option("tablesOf", config).load().first()
    assert tables is not None
    return tables


def _source(spark: SparkSession, tables: Row) -> DataFrame:
    if tables["source_table"] is not None:
        rows = spark.table(tables["source_table"])
    elif tables["source_path"] is not None:
        rows = spark.read.format(tables["source_format"]).load(tables["source_path"])
    else:
        raise ValueError(
            "no DataFrame was handed over, and tables.source of the config names no rows: pass source_df, or write "
            "tables.source.name, identifier or path"
        )
    if tables["source_filter"] is not None:
        rows = rows.where(tables["source_filter"])
    return rows.selectExpr(*tables["source_select"]) if tables["source_select"] else rows


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
