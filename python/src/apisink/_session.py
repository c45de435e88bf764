"""Puts apisink on a session that is still to be made."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLUGIN = "io.apisink.ApiSinkPlugin"
DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"
DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"


def jar() -> Path:
    """The jar inside this package, for `spark.jars` and `spark-submit --jars`."""
    path = Path(__file__).parent / "jars" / "apisink.jar"
    if not path.exists():
        raise FileNotFoundError(
            f"there is no {path}: this package was not installed from a wheel; run `make jar` and install it"
        )
    return path


def configure(
    builder: SparkSession.Builder,
    *,
    delta: bool | Iterable[str | PathLike[str]] = True,
) -> SparkSession.Builder:
    """Adds apisink's jar and plugin, and Delta, to what the builder has; nothing that is there is replaced.

    What stands in `spark-defaults.conf` cannot be seen from here: where `spark.jars`, `spark.plugins` or
    `spark.sql.extensions` are set there, set them on the builder before.

    :param delta: True lets Spark fetch Delta from Maven Central (or its configured mirrors), False leaves Delta to you,
        paths are Delta's jars
    """
    _append(builder, "spark.jars", str(jar()))
    _append(builder, "spark.plugins", PLUGIN)
    if delta is False:
        return builder
    if delta is True:
        _append(builder, "spark.jars.packages", DELTA_PACKAGE)
    else:
        for path in delta:
            _append(builder, "spark.jars", fspath(path))
    _append(builder, "spark.sql.extensions", DELTA_EXTENSION)
    if "spark.sql.catalog.spark_catalog" not in _options(builder):
        builder.config("spark.sql.catalog.spark_catalog", DELTA_CATALOG)
    return builder


def _append(builder: SparkSession.Builder, key: str, value: str) -> None:
    there = [part.strip() for part in str(_options(builder).get(key, "")).split(",") if part.strip()]
    if value not in there:
        builder.config(key, ",".join([*there, value]))


def _options(builder: SparkSession.Builder) -> dict[str, object]:
    # The builder tells nobody what it has; its own getOrCreate looks here.
    return getattr(builder, "_options", {})
