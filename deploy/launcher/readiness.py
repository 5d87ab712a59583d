"""Waits until the parts of a cell work, and reads the logs of those that do not."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from deploy.launcher.ports import HOST, is_open
from deploy.launcher.programs import Kind
from deploy.launcher.supervise import Supervisor
from deploy.launcher.trouble import Trouble

ASK_SUPERVISOR_EVERY = 0.3
"""Seconds: asking it costs as much as the program that is waited for can use."""
GIVE_UP_AFTER = 3
"""Failed starts of a program after which waiting for it is pointless."""

HINTS = (
    (r"cannot open shared object", "a shared library is missing: sudo apt-get install libssl3 libcurl4"),
    (
        r"eaddrinuse|[Aa]ddress already in use",
        "its port is in use; free it (ss -ltnp) or choose another with --port",
    ),
    (r"enospc|[Nn]o space left", "the disk is full; make room and run `concordat up` again"),
    (
        r"UPGRADE PROBLEM|[Ww]iredTiger error.*version|incompatible.*version|Wrong mongod version",
        "its data is of another version; start with an empty folder (--data)",
    ),
    (
        r"invalid_cluster_name|inconsistent_cluster|inconsistent_database",
        "its data is of another cell; start with an empty folder (--data)",
    ),
    (
        r"serving_nobody_until_cases_answers[^\n]*\n?$",
        "it waits for cases, and serves as soon as cases answers; see `concordat logs cases`",
    ),
    (r"ModuleNotFoundError", "a Python package is missing; run `make setup`"),
    (r"[Pp]ermission denied|EACCES", "a file or folder is not readable by this user; see `concordat doctor`"),
)


def wait(condition: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Poll until true. Raises Trouble with what `otherwise` says."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Trouble(otherwise())
        time.sleep(0.03)


def wait_for(
    name: str, supervisor: Supervisor, log: Path, condition: Callable[[], bool], seconds: float
) -> None:
    """Poll until the condition holds, or the program has ended too often. Raises Trouble with the likely
    reason.
    """
    before = supervisor.starts()[name]  # it may have been started, and ended, often in a long life
    ask_at = time.monotonic() + ASK_SUPERVISOR_EVERY

    def holds() -> bool:
        nonlocal ask_at
        if condition():
            return True
        if time.monotonic() < ask_at:
            return False
        ask_at = time.monotonic() + ASK_SUPERVISOR_EVERY
        state = supervisor.rows().get(name, {}).get("statename")
        if state == "FATAL" or supervisor.starts()[name] > before + GIVE_UP_AFTER:
            raise Trouble(diagnosis(name, log))
        return False

    wait(holds, seconds, lambda: f"{name} was not ready after {seconds:.0f} s. {diagnosis(name, log)}")


def ready(kind: Kind, port: int) -> bool:
    """Whether it can work now: services say so themselves, for the rest accepting connections is enough."""
    if kind in ("service", "gateway"):
        return _answers(f"http://{HOST}:{port}/readyz")
    return is_open(port)


def diagnosis(name: str, log: Path) -> str:
    """What to do, from the end of the program's log."""
    tail = _tail(log)
    for pattern, hint in HINTS:
        if re.search(pattern, tail):
            return f"{name} does not run: {hint}."
    last = next((line for line in reversed(tail.splitlines()) if line.strip()), "nothing")
    return f"{name} does not run; `concordat logs {name}` shows why. Its last words: {last.strip()[:200]}"


def _tail(log: Path, size: int = 20_000) -> str:
    try:
        return log.read_bytes()[-size:].decode(errors="replace")
    except OSError:
        return ""


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Past any proxy that the environment names: these are this machine's own ports."""


def _answers(url: str) -> bool:
    try:
        with _DIRECT.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False
