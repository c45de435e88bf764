"""A real standalone cluster on loopback: a master and two workers, each a process with a process group of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster import HOME, QUICK, environment, spark_submit
from origin import Origin
from processes import EXECUTOR, descendants, wait_until

SETTINGS = {
    "spark.driver.memory": "1g",
    "spark.executor.memory": "1g",
    "spark.executor.cores": "1",
    "spark.driver.host": "127.0.0.1",
}


class Daemon:
    """A process of Spark's own. The executors of a worker are in its process group."""

    def __init__(self, log: Path, kind: str, *arguments: str) -> None:
        self.log = log
        command = [str(HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1"]
        options = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false"}
        options["SPARK_DAEMON_JAVA_OPTS"] = QUICK
        with log.open("w") as out:
            self._process = subprocess.Popen(
                [*command, *arguments], env=environment(options), stdout=out, stderr=out, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def said(self, pattern: str) -> str:
        """What the group of a pattern finds in the log first, once it is there."""

        def found() -> list[str]:
            assert self._process.poll() is None, self.log.read_text()[-4000:]
            return re.findall(pattern, self.log.read_text())

        return wait_until(found, f"{pattern} in {self.log}")[0]

    def kill(self) -> None:
        """Ends this process alone, and at once."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Ends it with all executors that it has begun, also those that are stopped."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()


class Standalone:
    """The cluster. Jobs run on it one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begun = 0
        self._master = Daemon(folder / "master.log", "master.Master", "--port", "0", "--webui-port", "0")
        self.workers: list[Daemon] = []

    @staticmethod
    @contextmanager
    def start(folder: Path, workers: int = 2) -> Iterator[Standalone]:
        """A worker offers one core and 1 GB. Logs and work folders are in `folder`."""
        cluster = Standalone(folder)
        try:
            for _ in range(workers):
                cluster.add_worker()
            cluster.wait_for_workers()
            yield cluster
        finally:
            for worker in cluster.workers:
                worker.end()
            cluster._master.end()

    @property
    def url(self) -> str:
        return self._master.said(r"Starting Spark master at (spark://\S+)")

    def add_worker(self) -> Daemon:
        self._begun += 1
        name = f"worker-{self._begun}"
        limits = ["--cores", "1", "--memory", "1g", "--port", "0", "--webui-port", "0"]
        log = self._folder / f"{name}.log"
        worker = Daemon(log, "worker.Worker", *limits, "--work-dir", str(self._folder / name), self.url)
        self.workers.append(worker)
        return worker

    def remove_worker(self, worker: Daemon) -> None:
        """Kills a worker's process alone: its executors notice that it is gone, and end."""
        worker.kill()
        self.workers.remove(worker)

    def executors(self) -> dict[str, int]:
        """Process ids of the executors that are there now, by Spark's ids."""
        found = {}
        for worker in self.workers:
            for pid, line in descendants(worker.pid).items():
                if known := re.search(rf"{EXECUTOR}.* --executor-id (\S+)", line):
                    found[known[1]] = pid
        return found

    def wait_for_workers(self) -> None:
        """Until the master knows of all workers, and nothing runs on them."""

        def idle() -> bool:
            state = self.state()
            alive = [worker for worker in state["workers"] if worker["state"] == "ALIVE"]
            return len(alive) == len(self.workers) and not state["activeapps"] and not self.executors()

        wait_until(idle, "idle workers", interval=0.05)

    def state(self) -> dict[str, Any]:
        """What the master says of its workers and applications."""
        page = self._master.said(r"MasterWebUI to \S+, and started at (http://\S+)")
        with urllib.request.urlopen(f"{page}/json/") as answer:
            return dict(json.loads(answer.read()))

    def submit(
        self,
        job: Path,
        *arguments: object,
        log: Path,
        conf: Mapping[str, object] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Job:
        """Starts a job as a user would. Its output is appended to `log`."""
        return Job(spark_submit(job, *arguments, conf={**SETTINGS, **(conf or {})}, master=self.url), log, variables)


class Job:
    """A driver, in a process group of its own."""

    def __init__(self, command: list[str], log: Path, variables: Mapping[str, str] | None) -> None:
        self.log = log
        with log.open("a") as out:
            self._process = subprocess.Popen(
                command, env=environment(variables), cwd=log.parent, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout: float = 240) -> int:
        """Its exit code."""
        return self._process.wait(timeout)

    def succeed(self, timeout: float = 240) -> str:
        """Waits for a good end. Returns all that was said in its log."""
        assert self.wait(timeout) == 0, self.said[-6000:]
        return self.said

    @property
    def said(self) -> str:
        return self.log.read_text()

    def wait_for_requests(self, origin: Origin, wanted: int, interval: float = 0.02) -> None:
        """Until the server has had so many; the job must not end before."""

        def arrived() -> bool:
            assert self.is_running, self.said[-6000:]
            return int(origin.report()["requests"]) >= wanted

        wait_until(arrived, f"{wanted} requests", interval=interval)

    def kill(self) -> None:
        """The driver's JVM and its Python at once."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
