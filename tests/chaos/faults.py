"""The kinds of faults. Each starts the job, does its harm at a random point, and sees the run to its end."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

from processes import executors, wait_until
from scene import Scene
from small_disk import enlarge, may_mount, small_disk

Fault = Callable[[Scene], str]
RETRY = re.compile(r"Starting task \d+\.[1-9]")


def executor_killed(scene: Scene) -> str:
    """kill -9 of one executor; Spark starts another."""
    return _attempt_lost(
        scene, lambda: os.kill(scene.dice.choice(sorted(scene.cluster.executors().values())), signal.SIGKILL)
    )


def worker_killed(scene: Scene) -> str:
    """kill -9 of one worker, whose executor ends when it notices; another worker comes."""

    def another_comes() -> None:
        scene.cluster.remove_worker(scene.dice.choice(scene.cluster.workers))
        scene.cluster.add_worker()

    return _attempt_lost(scene, another_comes)


def _attempt_lost(scene: Scene, harm: Callable[[], None]) -> str:
    """The job, with harm at a random point that costs it one task attempt."""
    job = scene.start()
    where = scene.wait_for_a_random_request(job)
    scene.keep_journal()
    harm()
    scene.lost_attempts = 1
    job.succeed()
    return where


def driver_killed(scene: Scene) -> str:
    """kill -9 of the driver; its executors end; the job is run again."""
    job = scene.start()
    where = scene.wait_for_a_random_request(job)
    job.kill()
    scene.wait_for_silence()
    scene.keep_journal()
    scene.lost_attempts = 2
    scene.start().succeed()
    return where


def executor_frozen(scene: Scene) -> str:
    """SIGSTOP of an executor and its worker until its task is tried again, or the run done; SIGCONT: a zombie."""
    job = scene.start()
    where = scene.wait_for_a_random_request(job, most=0.6)
    scene.keep_journal()
    worker = scene.dice.choice(scene.cluster.workers)
    # Its worker too, as when a machine hangs: else the worker would kill what the driver gives up.
    frozen = [worker.pid, *executors(worker.pid)]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    scene.lost_attempts = 1
    try:
        if scene.dice.random() < 0.5:
            wait_until(lambda: not job.is_running or RETRY.search(job.said), "the second attempt of a task")
        else:
            job.wait()
        until = "woken amid the second attempt" if job.is_running else "woken after the end"
    finally:
        for pid in reversed(frozen):
            os.kill(pid, signal.SIGCONT)
    job.succeed()
    return f"{where}, {until}"


def commit_killed(scene: Scene) -> str:
    """kill -9 of the driver amid the commit, as soon as the trace of a step is there; the job is run again."""
    traces: dict[str, Callable[[], bool]] = {
        "the manifest was written": lambda: _exists(scene.run_directory, "manifest-*.json"),
        "Delta wrote rows": lambda: _exists(scene.sink, "*.parquet"),
        "Delta committed": lambda: _exists(scene.sink / "_delta_log", "*.json"),
        "the ledger noted the commit": lambda: _exists(scene.run_directory, "done-0.json"),
        "the ledger noted the end": lambda: _exists(scene.run_directory, "done.json"),
    }
    name = scene.dice.choice(list(traces))
    job = scene.start()

    def is_there() -> bool:
        if traces[name]():
            return True
        assert job.is_running, job.said[-6000:]
        return False

    wait_until(is_there, f"the trace that {name}", interval=0.0005)
    job.kill()
    # Every row was journaled: nothing is sent again.
    scene.wait_for_silence()
    sent = scene.requests()
    scene.start().succeed()
    assert scene.requests() == sent, "after the manifest nothing is sent"
    return f"after {name}"


def _exists(folder: Path, pattern: str) -> bool:
    return next(folder.glob(pattern), None) is not None


def disk_full(scene: Scene) -> str:
    """The journal's disk is full; the job fails and says so; the disk is made larger and the job is run again."""
    size = scene.dice.randint(200, 700)
    with small_disk(scene.journal, f"{size}k"):
        job = scene.start()
        assert job.wait() != 0, "there was room for the whole journal"
        for words in (
            "an answer could not be kept",
            "write again with the same runId",
            "No space left",
            '.option("runId"',
        ):
            assert words in job.said, f"the error does not say: {words}"
        scene.wait_for_silence()
        scene.keep_journal()
        # Each partition's first attempt learns of it from its own first file; later ones look before they send.
        scene.lost_attempts = 4
        enlarge(scene.journal, "64m")
        scene.start().succeed()
    return f"at {size} KB"


def journal_cut(scene: Scene) -> str:
    """kill -9 of the driver; some journal files are cut at random offsets; the job is run again and says which."""
    job = scene.start()
    where = scene.wait_for_a_random_request(job, least=0.3)
    job.kill()
    scene.wait_for_silence()
    files = scene.journal_files()
    cut = scene.dice.sample(files, min(len(files), scene.dice.randint(1, 3)))
    scene.copy(cut, scene.damaged)
    for file in cut:
        os.truncate(file, scene.dice.randrange(file.stat().st_size))
    scene.keep_journal()
    scene.lost_attempts = 2
    said = scene.start().succeed()
    unsaid = [file.name for file in cut if file.name not in said]
    assert not unsaid, f"the run does not say that it left out {unsaid}"
    return f"{where}, {len(cut)} of {len(files)} files cut"


KINDS: dict[str, Fault] = {
    "executor killed": executor_killed,
    "worker killed": worker_killed,
    "driver killed": driver_killed,
    "executor frozen": executor_frozen,
    "driver killed amid the commit": commit_killed,
    "journal's disk full": disk_full,
    "journal files cut": journal_cut,
}


def possible() -> list[str]:
    """The kinds that this user may cause: a small disk needs root."""
    return [kind for kind in KINDS if kind != "journal's disk full" or may_mount()]
