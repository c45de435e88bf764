"""A few rounds of chaos, each of another kind. `make chaos` plays many."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from chaos import play
from pyspark.sql import SparkSession
from session import local_session
from standalone import Standalone

SEED = random.SystemRandom().randrange(10**6)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    session = local_session(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with Standalone.start(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.mark.parametrize(
    "kind", ["worker killed", "executor frozen", "driver killed amid the commit", "journal files cut"]
)
def test_every_row_is_in_the_sink_once_and_what_was_journaled_is_not_sent_again(
    kind: str, cluster: Standalone, spark: SparkSession, tmp_path: Path
) -> None:
    played = play(kind, random.Random(f"{SEED}/{kind}"), cluster, spark, tmp_path / "round")
    assert not played.faults, f"seed {SEED}: {played}"
