"""A real Spark, a real API server and the jar that `make jar` made, for all end-to-end tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from origin import Origin
from pyspark.sql import SparkSession
from session import local_session
from standalone import Standalone


@pytest.fixture(scope="session")
def spark_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spark")


@pytest.fixture(scope="session")
def spark(spark_folder: Path) -> Iterator[SparkSession]:
    session = local_session(spark_folder)
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


@pytest.fixture(scope="session")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A master and two workers, for all tests that want them; a test leaves them idle."""
    with Standalone.start(tmp_path_factory.mktemp("standalone")) as cluster:
        yield cluster


@pytest.fixture
def idle_cluster(standalone: Standalone) -> Standalone:
    """Once the executors of the test before are gone."""
    standalone.wait_for_workers()
    return standalone
