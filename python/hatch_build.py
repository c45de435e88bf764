"""Puts the jar that `make jar` has made into the wheel."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class JarHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        jar = Path(self.root).parent / "dist" / "apisink.jar"
        if not jar.exists():
            raise FileNotFoundError(f"there is no {jar}: run `make jar` in {jar.parents[1]} first")
        build_data["force_include"][str(jar)] = "apisink/jars/apisink.jar"
        # The jar holds a native library for the platforms that it names itself; the Python code is the same everywhere.
        build_data["pure_python"] = True
