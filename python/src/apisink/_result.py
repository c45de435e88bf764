from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RunResult:
    """What a run has done."""

    run_id: str
    """The run's id, given or derived. Under it a run that stopped is gone on with."""
    sink: str
    """Where its rows are."""
    rows: int
    """Source rows that were not left out."""
    outcomes: dict[str, int]
    """Rows by outcome, those that occurred; `success` always."""
    failed: int
    """Rows whose outcome is not `success`."""
    attempts: int
    """HTTP round trips, those of retries included."""
    resumed: int
    """Rows whose answers an earlier attempt of the run had journaled."""
    skipped: int
    """Rows that were left out because an earlier run has delivered them; not among `rows`."""
    duration_ms: int
    """From the opening of the run to its end, of this call."""
    finished_before: bool
    """Whether the run was finished already, so that nothing was sent."""
    dry_run: bool
    """Whether requests were rendered and not sent."""

    @property
    def succeeded(self) -> int:
        return self.rows - self.failed

    @staticmethod
    def from_json(text: str) -> RunResult:
        fields: dict[str, Any] = json.loads(text)
        return RunResult(**fields)
