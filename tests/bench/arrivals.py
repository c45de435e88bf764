"""What a server has seen of a run, and how much of a rate limit that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Arrivals:
    """So many requests, and the seconds from the first to the last and from the first until now."""

    requests: int
    seconds: float
    since_first: float

    @staticmethod
    def of(report: Mapping[str, Any]) -> Arrivals:
        """From the answer to /_origin/report."""
        first = report["first_arrival_ms"]
        until = [report["last_arrival_ms"], report["now_ms"]]
        return Arrivals(report["requests"], *((end - first) / 1000 for end in until))

    @property
    def rate(self) -> float:
        """Requests per second; the first one is the moment that is counted from."""
        return (self.requests - 1) / self.seconds

    def used(self, limit: float) -> float:
        """The share of a limit, in requests per second, that was used while sending."""
        return self.rate / limit
