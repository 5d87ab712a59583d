"""Sets up the database: the replica set and one user per service, each with its own database only. Safe to
repeat.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pymongo
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from services.contracts.directory import RECORDER

ELECTION_MS = 2000
LOG_DATABASE = f"{RECORDER}_log"
"""Leaves, checkpoints, cosignatures: only ever added to."""
LOG_WRITER, LOG_READER = "concordat_log_writer", "concordat_log_reader"

_UNAUTHORIZED, _UNAUTHENTICATED, _INITIALISED, _NOT_INITIALISED, _USER_EXISTS = 13, 18, 23, 94, 51003

Client = pymongo.MongoClient[dict[str, Any]]


class StoreTrouble(Exception):
    """The database could not be set up; the text says why and holds no secret."""


def initiate(hosts: Sequence[str], name: str, operator: str, password: str, seconds: float) -> None:
    """Make one replica set of the members at `hosts` (host:port) and its operator, and wait for a primary.

    A set made earlier keeps its data and follows its members to new ports.
    """
    until = time.monotonic() + seconds
    with _direct(hosts[0]) as nobody:
        _retried(lambda: nobody.admin.command("ping"), until)
        try:
            nobody.admin.command("replSetInitiate", _configuration(name, hosts, 1))
        except OperationFailure as error:
            if error.code not in (_UNAUTHORIZED, _UNAUTHENTICATED) and "already initialized" not in str(
                error
            ):
                raise StoreTrouble(f"the replica set could not be made: {error.code}") from None
            _follow(hosts, operator, password)
        _wait_for_primary(nobody, hosts[0], until)
    _make_operator(hosts, name, operator, password, until)


def form(url: str, name: str, hosts: Sequence[str], seconds: float) -> None:
    """Make one replica set of `hosts`, where there is none yet, and wait for a primary.

    `url` is of an operator whom they know already, as those of the official image do. Raises StoreTrouble.
    """
    until = time.monotonic() + seconds
    with pymongo.MongoClient[dict[str, Any]](
        url, directConnection=True, serverSelectionTimeoutMS=500
    ) as client:
        _retried(lambda: client.admin.command("ping"), until)
        try:
            client.admin.command("replSetInitiate", _configuration(name, hosts, 1))
        except OperationFailure as error:
            if error.code != _INITIALISED:
                raise StoreTrouble(f"the replica set could not be made: code {error.code}") from None
        _wait_for_primary(client, hosts[0], until)


def grant(url: str, passwords: Mapping[str, str]) -> None:
    """Make or update a user per service with readWrite on the database of its own name.

    The recorder may besides add to the database of its log, and read it: whoever has its password can
    neither change nor delete what is there. `LOG_READER` is a role for those who are to read the log's
    leaves and checkpoints and no detail.

    `url` is the operator's. Raises StoreTrouble when it may not, or when nobody answers.
    """
    try:
        with pymongo.MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=10_000) as client:
            known = {row["user"]: row for row in client.admin.command("usersInfo")["users"]}
            if RECORDER in passwords:
                _make_roles(client)
            for service, password in passwords.items():
                roles = [{"role": "readWrite", "db": service}]
                if service == RECORDER:
                    roles.append({"role": LOG_WRITER, "db": "admin"})
                command = "updateUser" if service in known else "createUser"
                client.admin.command(command, service, pwd=password, roles=roles)
    except OperationFailure as error:
        raise StoreTrouble(
            f"the database refused to make users for the services (code {error.code})"
        ) from None
    except PyMongoError as error:
        raise StoreTrouble(f"the database does not answer ({type(error).__name__})") from None


def _make_roles(client: Client) -> None:
    whole = {"db": LOG_DATABASE, "collection": ""}
    wanted = {
        LOG_WRITER: ["find", "insert", "createCollection", "createIndex", "listCollections", "listIndexes"],
        LOG_READER: ["find", "listCollections", "listIndexes"],
    }
    known = {row["role"] for row in client.admin.command("rolesInfo")["roles"]}
    for role, actions in wanted.items():
        command = "updateRole" if role in known else "createRole"
        client.admin.command(command, role, privileges=[{"resource": whole, "actions": actions}], roles=[])


def has_primary(url: str) -> bool:
    """Whether the replica set at the operator's `url` takes writes now."""
    try:
        with pymongo.MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=1000) as client:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False


def _configuration(name: str, hosts: Sequence[str], version: int) -> dict[str, Any]:
    return {
        "_id": name,
        "version": version,
        "members": [{"_id": number, "host": host} for number, host in enumerate(hosts)],
        "settings": {"electionTimeoutMillis": ELECTION_MS, "heartbeatIntervalMillis": 1000},
    }


def _direct(host: str, **options: Any) -> Client:
    return pymongo.MongoClient(
        f"mongodb://{host}/", directConnection=True, serverSelectionTimeoutMS=500, **options
    )


def _follow(hosts: Sequence[str], operator: str, password: str) -> None:
    """Ports may have changed since the set was made; its members must be told, by force: they cannot find
    one another.
    """
    with _direct(hosts[0], username=operator, password=password) as client:
        try:
            current = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code in (_UNAUTHENTICATED, _UNAUTHORIZED, _NOT_INITIALISED):
                return  # initiated, but an earlier start ended before it had made the operator
            raise StoreTrouble(f"the replica set cannot be read: {error.code}") from None
        if [member["host"] for member in current["members"]] == list(hosts):
            return
        for member, host in zip(current["members"], hosts, strict=True):
            member["host"] = host
        current["version"] += 1
        client.admin.command("replSetReconfig", current, force=True)


def _wait_for_primary(client: Client, host: str, until: float) -> None:
    def some_primary() -> bool:
        return bool(client.admin.command("hello").get("primary"))

    while not _quietly(some_primary):
        if time.monotonic() > until:
            raise StoreTrouble(f"no primary was elected; {host} answers but takes no writes")
        time.sleep(0.05)


def _make_operator(hosts: Sequence[str], name: str, operator: str, password: str, until: float) -> None:
    """Over the localhost exception, which ends with the first user."""
    if _can_log_in(hosts, name, operator, password):
        return
    with pymongo.MongoClient[dict[str, Any]](
        list(hosts), replicaSet=name, serverSelectionTimeoutMS=5000
    ) as nobody:
        try:
            nobody.admin.command("createUser", operator, pwd=password, roles=["root"])
        except OperationFailure as error:
            if error.code != _USER_EXISTS:
                raise StoreTrouble(
                    "the database holds another operator; its folder is from another cell"
                ) from None
    _retried(lambda: _can_log_in(hosts, name, operator, password), until)


def _can_log_in(hosts: Sequence[str], name: str, operator: str, password: str) -> bool:
    try:
        with pymongo.MongoClient[dict[str, Any]](
            list(hosts), replicaSet=name, username=operator, password=password, serverSelectionTimeoutMS=5000
        ) as client:
            client.admin.command("usersInfo")
    except OperationFailure as error:
        if error.code in (_UNAUTHENTICATED, _UNAUTHORIZED):
            return False
        raise
    return True


def _retried(action: Any, until: float) -> None:
    while not _quietly(action):
        if time.monotonic() > until:
            raise StoreTrouble("the database does not answer")
        time.sleep(0.05)


def _quietly(action: Any) -> bool:
    """While a set is being made its members drop connections."""
    try:
        return bool(action())
    except (AutoReconnect, OperationFailure):
        return False
