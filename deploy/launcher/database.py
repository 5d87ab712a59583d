"""The private MongoDB: a replica set of one member or of three."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from deploy.launcher import credentials, tools
from deploy.launcher.places import Places
from deploy.launcher.ports import HOST
from deploy.launcher.programs import Program

REPLICA_SET = "concordat"

TRANSACTION_SECONDS = 3
"""Abandoned transactions hold their documents for this long: about a call's deadline."""


def names(cluster: bool) -> list[str]:
    return ["mongo1", "mongo2", "mongo3"] if cluster else ["mongo"]


def programs(places: Places, ports: Mapping[str, int], *, cluster: bool) -> list[Program]:
    """Write the members' common key and return the members."""
    key_file = member_key(places.secrets)
    binary = str(tools.mongod())
    return [
        _member(places, binary, str(key_file), name, ports[name], cluster=cluster) for name in names(cluster)
    ]


def member_key(folder: Path) -> Path:
    """The file with which the members of a replica set know one another."""
    secret = credentials.password(folder, "mongo.secret")
    key = base64.b64encode(hashlib.sha512(secret.encode()).digest()).decode()
    return credentials.write(folder / "mongo.key", key, 0o400)


def _member(places: Places, binary: str, key_file: str, name: str, port: int, *, cluster: bool) -> Program:
    data = places.data(name, cluster=cluster)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "--dbpath": str(data),
        "--port": str(port),
        "--bind_ip": HOST,
        "--replSet": REPLICA_SET,
        "--keyFile": key_file,
        # The wheel's 6.0.5 has a memory-disclosure bug in its decompression.
        "--networkMessageCompressors": "disabled",
        "--wiredTigerCacheSizeGB": "0.25",
        "--oplogSize": "100",
        # A slow operation would be logged with all that it says of people (V6).
        "--slowOpSampleRate": "0",
    }
    parameters = {
        "transactionLifetimeLimitSeconds": TRANSACTION_SECONDS,
        "diagnosticDataCollectionEnabled": "false",
        # A member that is told to stop would go on for 15 s, for clients that need that long to notice.
        "shutdownTimeoutMillisForSignaledShutdown": 500,
    }
    return Program(
        name=name,
        kind="database",
        command=(
            binary,
            *(word for pair in options.items() for word in pair),
            *(word for key, value in parameters.items() for word in ("--setParameter", f"{key}={value}")),
            "--nounixsocket",
            "--quiet",
        ),
        port=port,
        folder=data,
        stop_seconds=20,
    )
