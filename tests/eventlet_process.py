"""Run one function in a process of its own, under eventlet, against the real parts.

pytest's own process must not be monkey-patched, and what is tested lives only in a process that is. So:

    # tests/integration/mongo_children.py
    def count_notes(url: str) -> int: ...

    # tests/integration/test_mongo.py
    assert run("tests.integration.mongo_children:count_notes", url=mongo_url) == 3

Arguments go in, and the result comes out, as JSON. Every wait in here is bounded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_ARGUMENTS = "EVENTLET_PROCESS_ARGUMENTS"
_MARK = "eventlet-process-result:"


class ChildProcess:
    """A running child; use it as a context manager, so that it never outlives its test."""

    def __init__(self, function: str, env: dict[str, str] | None = None, **arguments: Any) -> None:
        self.function = function
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.eventlet_process", function],
            cwd=ROOT,
            env={
                **os.environ,
                **(env or {}),
                _ARGUMENTS: json.dumps(arguments),
                "EVENTLET_NO_GREENDNS": "yes",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def output(self, timeout: float = 60) -> tuple[Any, str, str]:
        """(result, everything else it printed, its standard error), once it has ended."""
        out, err = self._process.communicate(timeout=timeout)
        assert self._process.returncode == 0, f"{self.function} failed:\n{out}\n{err}"
        printed, _, result = out.rpartition(_MARK)
        return json.loads(result), printed, err

    def result(self, timeout: float = 60) -> Any:
        return self.output(timeout)[0]


def run(function: str, timeout: float = 60, env: dict[str, str] | None = None, **arguments: Any) -> Any:
    """What `function` ("package.module:name") returns for `arguments`, called in a patched process."""
    with ChildProcess(function, env=env, **arguments) as child:
        return child.result(timeout)


def _main(function: str) -> None:
    import eventlet

    eventlet.monkey_patch()
    from importlib import import_module

    stdout = sys.stdout  # the function may seal the process
    module, _, name = function.partition(":")
    result = getattr(import_module(module), name)(**json.loads(os.environ.pop(_ARGUMENTS)))
    stdout.write(f"\n{_MARK}{json.dumps(result)}\n")
    stdout.flush()
    # Greenlets and threads that the function left behind must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1])
