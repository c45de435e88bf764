"""The transport under mixed faults for half an hour, as a table and a plot. The test fails when anything is left.

make soak                      half an hour, into docs/soak.md
make soak SOAK_SECONDS=60      a look
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from machine import machine

ROOT = Path(__file__).resolve().parents[2]
TEST = "cargo test --release --locked --package apisink-runtime --test soak -- --nocapture"
NAMES = {"Http1": "HTTP/1.1", "Http2": "HTTP/2"}
Rounds = list[dict[str, Any]]


def soak(seconds: int) -> Iterator[dict[str, Any]]:
    """The rounds as they end: version, round, seconds, kilobytes, files, threads, tasks, open, ends."""
    environment = {**os.environ, "SOAK_SECONDS": str(seconds)}
    with subprocess.Popen(shlex.split(TEST), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as test:
        assert test.stdout
        for line in test.stdout:
            if line.startswith("{"):
                yield json.loads(line)
            else:
                print(line, end="", flush=True)
    if test.returncode:
        sys.exit(f"the soak has failed: {TEST}")


def table(by_version: dict[str, Rounds]) -> str:
    """Memory is resident memory in MB; the first 30 rounds of each version are those in which it settles."""
    lines = [
        "| | rounds | attempts | MB after 30 rounds | MB at the end, most after 30 | open connections, most |"
        " files, most | threads, most | tasks, most |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for version, rounds in by_version.items():
        settled = rounds[30:] or rounds[-1:]
        memory = [one["kilobytes"] / 1024 for one in settled]

        def most(key: str, rounds: Rounds = rounds) -> int:
            return max(int(one[key]) for one in rounds)

        cells = [
            NAMES[version],
            len(rounds),
            f"{sum(sum(one['ends'].values()) for one in rounds):,}",
            f"{memory[0]:.1f}",
            f"{memory[-1]:.1f}, {max(memory):.1f}",
            most("open"),
            most("files"),
            most("threads"),
            most("tasks"),
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def ends(by_version: dict[str, Rounds]) -> str:
    lines = ["| how attempts ended | " + " | ".join(NAMES[version] for version in by_version) + " |"]
    lines.append("|---|" + "---|" * len(by_version))
    counts = {version: Counter[str]() for version in by_version}
    for version, rounds in by_version.items():
        for one in rounds:
            counts[version].update(one["ends"])
    for end in sorted(set().union(*counts.values())):
        cells = [f"{count[end]:,}" for count in counts.values()]
        lines.append(f"| {end} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(path: Path, by_version: dict[str, Rounds]) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "apisink"
    from matplotlib import pyplot

    figure, (memory, held) = pyplot.subplots(2, 1, figsize=(9, 5), sharex=True)
    begun = 0.0
    for version, every in by_version.items():
        # Enough for the eye.
        rounds = every[:: max(1, len(every) // 300)]
        minutes = [(begun + one["seconds"]) / 60 for one in rounds]
        memory.plot(minutes, [one["kilobytes"] / 1024 for one in rounds], label=NAMES[version])
        for key in ("open", "files", "threads", "tasks"):
            label = {"open": "connections"}.get(key, key)
            held.plot(minutes, [one[key] for one in rounds], label=f"{label}, {NAMES[version]}", linewidth=0.8)
        begun += every[-1]["seconds"]
    memory.set_ylabel("resident memory, MB")
    memory.set_ylim(bottom=0)
    memory.legend()
    held.set_ylabel("held")
    held.set_xlabel("minutes")
    held.legend(fontsize="x-small", ncols=2)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def write(path: Path, by_version: dict[str, Rounds], seconds: int) -> None:
    picture = path.with_suffix(".svg")
    plot(picture, by_version)
    path.write_text(
        f"""# Soak

Written by `make soak` on {datetime.now(UTC):%Y-%m-%d}: {seconds // 60} minutes on {machine()}.

The engine asks a server in rounds of 1,000 requests, 32 at once over at most 16 connections, half of the time over
HTTP/1.1 and half over HTTP/2. The server resets connections before, amid and after its answers, stalls, answers 503,
closes idle connections after 20 ms, and sends garbage and answers beyond the cap; attempts have 200 ms, connections a
second and 50 requests. Client and server are one process: what it holds is what both hold.

{table(by_version)}

![What the process held]({picture.name})

{ends(by_version)}

The test fails when memory grows by more than 1 MB after the first 30 rounds, when more than 16 connections are open,
when bytes of the memory budget are not given back, and when in the end a file, a thread or a task is left that was not
there before.
"""
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--write", type=Path, help="page that table and plot go into")
    arguments = parser.parse_args()
    by_version: dict[str, Rounds] = {}
    for one in soak(arguments.seconds):
        by_version.setdefault(one["version"], []).append(one)
    print(table(by_version))
    if arguments.write:
        write(arguments.write, by_version, arguments.seconds)


if __name__ == "__main__":
    main()
