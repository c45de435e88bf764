"""The config of the jobs whose rate counts: rows as JSON, tried again until they are accepted."""

from __future__ import annotations

import json
from pathlib import Path

from origin import Origin


def pipeline(origin: Origin, sink: Path, **execution: object) -> str:
    """`execution` holds that section's keys. What the server announces is left to `retry`."""
    return json.dumps(
        {
            "execution": {"obey_announced_limits": False, **execution},
            "endpoint": {"method": "POST", "base_path": origin.url, "url_path": "/v1/rows"},
            "middleware": [
                {"type": "retry", "max_attempts": 10, "base_delay": 0.05, "max_delay": 0.2},
                {"type": "worker_identity"},
                {"type": "json_body"},
            ],
            "tables": {"source": {"id_column": "tracking_id"}, "sink": {"path": str(sink)}},
        }
    )
