"""RabbitMQ's own tool, for what its HTTP API cannot do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from deploy.launcher import ports
from deploy.launcher.cell import Cell

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmqctl")


def rabbitmqctl(cell: Cell, *arguments: str, node: str = "rabbit") -> None:
    """Run it on one node of a cell."""
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LANG": "C.UTF-8",
        "HOME": str(cell.places.secrets / "erlang"),
        "ERL_EPMD_PORT": str(cell.ports["epmd"]),
        "ERL_EPMD_ADDRESS": ports.HOST,
        "RABBITMQ_CONF_ENV_FILE": str(cell.places.settings / "none"),
    }
    command = [str(PROGRAM), "--node", f"{node}@localhost", "--quiet", *arguments]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
