"""A headless Chromium, told by its DevTools protocol over a pipe: no driver and no library is needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")

# Nothing that a page does takes this long; in seconds.
PATIENCE = 60


class Page:
    """One page. Its methods return when the browser has answered."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        self._commands, self._answers = commands, answers
        self._number = 0
        self._session: dict[str, str] = {}
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}

    def open(self, url: str, *, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        self._call("Page.navigate", url=url)

    def until(self, expression: str) -> None:
        """Waits until the JavaScript is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.value(expression):
            if time.monotonic() > deadline:
                raise TimeoutError(expression)
            time.sleep(0.1)

    def value(self, expression: str) -> Any:
        return self._call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _call(self, method: str, **params: object) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params, **self._session}
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])

    def _message(self) -> bytes:
        message = b""
        while not message.endswith(b"\0"):
            byte = self._answers.read(1)
            if not byte:
                raise EOFError("the browser has ended")
            message += byte
        return message[:-1]


def program() -> str | None:
    """The first of the known browsers that is installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def page(browser: str) -> Iterator[Page]:
    """A page of a browser that ends with the block. The browser reads its descriptor 3 and writes to 4."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    redirect = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--remote-debugging-pipe"]
    command = ["bash", "-c", redirect, browser, *options]
    with subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL) as process:
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            with open(ours_out, "wb") as commands, open(ours_in, "rb") as answers:
                yield Page(commands, answers)
        finally:
            process.kill()
