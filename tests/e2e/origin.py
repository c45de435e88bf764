"""The API server that the tests talk to: a real program, told by flags how to misbehave."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).resolve().parents[2] / "target" / "release" / "apisink-origin"


@dataclass(frozen=True)
class Origin:
    url: str

    @staticmethod
    @contextmanager
    def start(*flags: str) -> Iterator[Origin]:
        command = [str(PROGRAM), "--exit-with-stdin", *flags]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin and process.stdout
            try:
                yield Origin(process.stdout.readline().split()[-1].rstrip("/"))
            finally:
                process.stdin.close()

    def report(self) -> dict[str, Any]:
        return dict(json.loads(self._get("/_origin/report")))

    def assert_rate(self, limit: float, burst: int = 1) -> None:
        """No second had more arrivals than the limit allows, but for the network's spread, and for those that came
        together because the server itself, on a machine that is busy, did not run meanwhile."""
        seen = self.report()
        together = limit * seen["longest_stall_ms"] / 1000
        assert seen["highest_rate_1s"] <= (limit + burst) * 1.05 + together, seen

    def assert_rate_used(self, limit: float) -> None:
        """Some five seconds had the arrivals that the limit allows. How long a whole run takes depends on how fast its
        executors start on this machine; `make bench-rate` shows that."""
        seen = self.report()
        seconds = 5 - seen["longest_stall_ms"] / 1000
        assert seen["highest_rate_5s"] >= 0.95 * seconds * limit, seen

    def keys(self) -> list[dict[str, Any]]:
        """One entry for each Idempotency-Key: key, requests, statuses."""
        return [json.loads(line) for line in self._get("/_origin/keys").splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        """The last thousand requests with their headers, unless the server was told to record none."""
        return list(json.loads(self._get("/_origin/requests?limit=1000")))

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path) as answer:
            return str(answer.read().decode())
