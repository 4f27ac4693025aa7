"""Python processes that are forked from one that has loaded the libraries, which a new one takes seconds for.

They are as new otherwise: nothing of TensorFlow or Keras has begun, and each has its own folder, variables, signals and
files. What is tested while libraries load, or under variables that Python reads when it starts, needs real new ones.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
POLLED_SECONDS = 0.005


class Server:
    """The process that others are forked from; it ends with this one."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lock = threading.Lock()

    def start(self, arguments: Sequence[str], *, cwd: Path, variables: Mapping[str, str] | None = None) -> Forked:
        """Begin what `python ARGUMENTS` would; they start with `-m`, `-c` or the path of a script."""
        with tempfile.NamedTemporaryFile("w+", prefix="forked-", delete=False) as noted:
            request = {"arguments": list(arguments), "cwd": str(cwd), "variables": dict(variables or {})}
            return Forked(self, int(self.ask(request | {"stderr": noted.name})), Path(noted.name))

    def ask(self, request: Mapping[str, object]) -> str:
        """The answer to a request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()

    def close(self) -> None:
        """End the server."""
        self._process.communicate()  # closes its standard input, which ends it


class Forked:
    """A process with the methods of `subprocess.Popen` that tests use; its output goes nowhere but to `stderr`."""

    def __init__(self, server: Server, pid: int, noted: Path) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server
        self._noted = noted

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        if self.returncode is None:
            self.returncode = json.loads(self._server.ask({"poll": self.pid}))
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code once it ends. Raises TimeoutExpired."""
        ends = time.monotonic() + timeout if timeout is not None else float("inf")
        while (code := self.poll()) is None:
            if time.monotonic() > ends:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(POLLED_SECONDS)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Nothing, and what it wrote to standard error, once it ends."""
        self.wait(timeout)
        said = self._noted.read_text(encoding="utf-8", errors="replace")
        self._noted.unlink(missing_ok=True)
        return "", said

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def serve() -> None:
    """Load the libraries, then answer requests: with the number of a new process, or the exit code of one or null."""
    from bptrain.utils import runtime

    runtime.configure()  # as a command does, before anything loads numpy
    import bptrain.cli.evaluate
    import bptrain.cli.fit
    import bptrain.workflows.evaluate
    import bptrain.workflows.fit  # noqa: F401 — with all that a fit needs

    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import tensorflow  # noqa: F401
    import keras  # noqa: F401

    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                _run(**request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _run(arguments: list[str], cwd: str, variables: dict[str, str], stderr: str) -> None:
    """Be the new process, to its end."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.dup2(os.open(stderr, os.O_WRONLY | os.O_APPEND), 2)
    os.chdir(cwd)
    os.environ.update(variables)
    sys.path[0] = ""
    exit_code = 0
    try:
        if arguments[0] == "-m":
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        elif arguments[0] == "-c":
            sys.argv = ["-c", *arguments[2:]]
            # as `python -c` does, with a program that a test wrote
            exec(compile(arguments[1], "<command>", "exec"), {"__name__": "__main__"})
        else:
            sys.argv = list(arguments)
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as ended:
        exit_code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 — as Python does at its end
        traceback.print_exc()
        exit_code = 1
    sys.stderr.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    serve()
