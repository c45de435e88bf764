"""The gauges of executors, written by Spark's CSV sink once a second."""

from __future__ import annotations

import csv
from pathlib import Path


def csv_sink(folder: Path) -> dict[str, object]:
    """The settings that let executors write into a new folder."""
    folder.mkdir()
    return {
        "spark.metrics.conf.executor.sink.csv.class": "org.apache.spark.metrics.sink.CsvSink",
        "spark.metrics.conf.executor.sink.csv.directory": str(folder),
        "spark.metrics.conf.executor.sink.csv.period": 1,
    }


def last(folder: Path, name: str) -> list[float]:
    """What each executor's gauge told last."""
    files = folder.glob(f"*.plugin.io.apisink.ApiSinkPlugin.{name}.csv")
    return [float(list(csv.DictReader(file.open()))[-1]["value"]) for file in files]
