"""Processes of a test: which there are below another, and waiting for what they do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
EXECUTOR = "CoarseGrainedExecutorBackend"


def descendants(pid: int) -> dict[int, str]:
    """Processes below a process: their command lines by their ids."""
    parents, commands = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                commands[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(status[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: commands[child] for child in found if child in commands}


def executors(pid: int) -> list[int]:
    """Spark's executors below a process, the eldest first."""
    return sorted(child for child, line in descendants(pid).items() if EXECUTOR in line)


def wait_until(condition: Callable[[], T], what: str, *, timeout: float = 300, interval: float = 0.02) -> T:
    """Asks until the answer is true, and returns it; `what` is for the failure after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(interval)
    raise AssertionError(f"waited {timeout} s in vain for {what}")
