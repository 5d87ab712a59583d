"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deploy.launcher.cell import Cell, remembered
from deploy.launcher.trouble import Trouble
from deploy.operator_api import OperatorApi

Data = Annotated[Path, typer.Option("--data", help="The cell's folder.", file_okay=False)]
Api = Annotated[
    str | None,
    typer.Option("--api", help="Management API of a broker that is not a cell's, such as http://host:15672."),
]
User = Annotated[str, typer.Option("--user", help="The operator's name there.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File with the operator's password.")
]

Owners = Annotated[
    list[str] | None,
    typer.Option(
        "--owner", metavar="NAME=UID", help="The user who reads somebody's secrets; may be repeated."
    ),
]

RUN = Path(".run")


def numbers(pairs: Sequence[str] | None) -> dict[str, int]:
    """From NAME=NUMBER. Raises Trouble."""
    found: dict[str, int] = {}
    for pair in pairs or ():
        name, _, number = pair.partition("=")
        if not name or not number.isdecimal() or int(number) > 65535:
            raise Trouble(f"{pair!r} is not NAME=NUMBER, such as echo=3.")
        found[name] = int(number)
    return found


def give(path: Path, owner: int | None) -> None:
    """A file, or a folder with all in it, to a user. Raises Trouble when that is not allowed."""
    if owner is None:
        return
    try:
        for one in (path, *path.rglob("*")):
            os.chown(one, owner, owner, follow_symlinks=False)
    except OSError as error:
        raise Trouble(f"{path} cannot be given to user {owner}. Run this as root.") from error


def running_cell(data: Path) -> Cell:
    """The cell under `data`. Raises Trouble when it does not run."""
    cell = remembered(data)
    if not cell.is_up():
        raise Trouble(
            f"The cell under {data} does not run. Start it with `concordat up`, or name another with --data."
        )
    return cell


def operator_api(data: Path, api: str | None, user: str, password_file: Path | None) -> OperatorApi:
    """Of the broker at `api`, else of the cell's."""
    if api is None:
        return running_cell(data).operator_api
    if password_file is None:
        raise Trouble("--api needs --password-file, the file with the operator's password.")
    return OperatorApi(api, user, secret(password_file))


def secret(file: Path) -> str:
    """The content of a secret file. Raises Trouble when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError):
        raise Trouble(f"{file} cannot be read. Check its name and its mode.") from None


def passwords(folder: Path, suffix: str, services: list[str]) -> dict[str, str]:
    """From files named `<service>.<suffix>`. Raises Trouble when one is missing: a service without a user
    cannot run.
    """
    return {service: secret(folder / f"{service}.{suffix}") for service in services}
