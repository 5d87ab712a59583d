"""Hands the programs to supervisord (PyPI `supervisor`), which starts each again when it ends, and talks to
it.
"""

from __future__ import annotations

import http.client
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from deploy.launcher import credentials
from deploy.launcher.places import CHECKOUT, MARK, Places
from deploy.launcher.programs import Program
from deploy.launcher.trouble import Trouble

STARTED_AFTER = 1
"""Seconds that a program has to stay up to count as started; one that ends earlier is tried again ever more
slowly.
"""
TRIES = 30

_SPAWNED = re.compile(r"spawned: '([^']+)' with pid")
_NOT_THERE = (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError)

Row = dict[str, Any]


class Supervisor:
    """The supervisord of one cell."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._settings = places.settings / "supervisord.conf"
        self._child: subprocess.Popen[bytes] | None = None

    def configure(self, programs: Iterable[Program]) -> None:
        sections = [_own_section(self._places), *(_section(self._places, program) for program in programs)]
        credentials.write(self._settings, "\n".join(sections))

    def start(self) -> None:
        """Start supervisord, which starts nothing by itself, and wait until it answers."""
        self._places.supervisor_log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self._settings)]
        with self._places.log("supervisord").open("wb") as out:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd=CHECKOUT,
                env={**_neutral(os.environ), MARK: str(self._places.root)},
            )
        until = time.monotonic() + 20
        while not self.answers():
            if self._child.poll() is not None or time.monotonic() > until:
                raise Trouble(f"supervisord did not start; {self._places.log('supervisord')} says why.")
            time.sleep(0.02)

    def reconfigure(self) -> None:
        """Make a running supervisord follow the settings file; it stops programs that changed."""
        added, changed, removed = self._call("reloadConfig")[0]
        for name in (*changed, *removed):
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in (*changed, *added):
            self._call("addProcessGroup", name)

    def answers(self) -> bool:
        with suppress(*_NOT_THERE):
            return bool(self._call("getState")["statename"] == "RUNNING")
        return False

    def rows(self) -> dict[str, Row]:
        """What supervisord knows about each process, by name."""
        return {row["name"]: row for row in self._call("getAllProcessInfo")}

    def launch(self, name: str) -> None:
        """Start a process if it does not run; does not wait until it works."""
        self._tolerating("startProcess", "ALREADY_STARTED", name, False)

    def halt(self, names: Sequence[str]) -> None:
        """Stop processes, all at once, and wait until they have ended."""
        for name in names:
            self._tolerating("stopProcess", "NOT_RUNNING", name, False)
        until = time.monotonic() + 60
        while any(row["pid"] for name, row in self.rows().items() if name in names):
            if time.monotonic() > until:
                raise Trouble(f"Some of {', '.join(names)} do not stop; `concordat down` ends them by force.")
            time.sleep(0.03)

    def shutdown(self) -> None:
        """Ask supervisord to end. It answers before it has."""
        with suppress(*_NOT_THERE, xmlrpc.client.Fault):
            self._call("shutdown")
        self.reap(10)

    def reap(self, seconds: float) -> None:
        """Collect our child, if supervisord was started by this process."""
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)

    def starts(self) -> Counter[str]:
        """How often each process was started since supervisord was."""
        try:
            return Counter(_SPAWNED.findall(self._places.supervisor_log.read_text(errors="replace")))
        except FileNotFoundError:
            return Counter()

    def _tolerating(self, method: str, fault: str, *arguments: Any) -> None:
        try:
            self._call(method, *arguments)
        except xmlrpc.client.Fault as error:
            if not error.faultString.startswith(fault):
                raise Trouble(
                    f"supervisord: {error.faultString}; see `concordat logs {arguments[0]}`."
                ) from None

    def _call(self, method: str, *arguments: Any) -> Any:
        path = self._places.socket()
        if not path.exists():
            raise FileNotFoundError(path)
        transport = SupervisorTransport(None, None, f"unix://{path}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport, allow_none=True)
            return getattr(proxy.supervisor, method)(*arguments)
        except (TimeoutError, socket.gaierror) as error:
            raise ConnectionError from error
        finally:
            transport.close()


def _neutral(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what would reach into the programs: they get their settings from the launcher alone.

    Python keeps what it compiles: compiling all of it each time is a fifth of what a service needs to start.
    """
    foreign = (
        "CONCORDAT_",
        "RABBITMQ_",
        "MONGO_",
        "ERL_",
        "GUNICORN_",
        "WEB_CONCURRENCY",
        "FORWARDED_",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "VIRTUAL_ENV",
    )
    return {key: value for key, value in environment.items() if not key.startswith(foreign)}


def _own_section(places: Places) -> str:
    return f"""[supervisord]
logfile={_escaped(places.supervisor_log)}
logfile_maxbytes=0
pidfile={_escaped(places.supervisor_pid)}
childlogdir={_escaped(places.logs)}
directory={_escaped(CHECKOUT)}
nodaemon=true
silent=true
umask=077

[unix_http_server]
file={_escaped(places.socket())}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""


def _section(places: Places, program: Program) -> str:
    variables = ",".join(f'{key}="{_escaped(value)}"' for key, value in program.environment.items())
    return f"""[program:{program.name}]
command={_escaped(shlex.join(program.command))}
directory={_escaped(program.folder or CHECKOUT)}
environment={variables}
autostart=false
autorestart=true
startsecs={STARTED_AFTER}
startretries={TRIES}
stopwaitsecs={program.stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile={_escaped(places.log(program.name))}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""


def _escaped(value: str | Path) -> str:
    """For supervisord's settings, in which % begins a reference and a quote ends a value."""
    text = str(value)
    if '"' in text or "\n" in text:
        raise Trouble(
            f"A quote or a line break in {text!r} cannot be handed to supervisord. Use another folder."
        )
    return text.replace("%", "%%")
