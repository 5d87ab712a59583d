"""What a cell runs, as plain values: `broker.py`, `database.py` and `services.py` make them, `supervise.py`
runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["epmd", "broker", "database", "service", "gateway"]


@dataclass(frozen=True)
class Program:
    """One process to start and to keep running."""

    name: str
    kind: Kind
    command: tuple[str, ...]
    port: int
    """Where it accepts connections, on 127.0.0.1."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    stop_seconds: int = 15


@dataclass(frozen=True)
class Process:
    """A program as it runs, or does not."""

    name: str
    kind: Kind
    state: str
    """As supervisord calls it (RUNNING, STARTING, BACKOFF, STOPPED, EXITED, FATAL); else UNKNOWN."""
    pid: int
    """0 when it is not running."""
    port: int
    uptime: float
    """Seconds."""
    restarts: int
    ready: bool | None = None
    """None when nobody asked."""
