"""`concordat keys`: what services seal with, what the log is signed and its details are wrapped with."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy import options
from deploy.launcher.trouble import Trouble
from services.chassis import keys
from services.contracts.directory import SERVICES

app = typer.Typer(no_args_is_help=True, help="Make, rotate and list the services' keys.")

Folder = Annotated[Path | None, typer.Option("--keys", help="The key folder; by default the cell's.")]


@app.command("make")
def make(
    data: options.Data = options.RUN,
    folder: Folder = None,
    services: Annotated[str, typer.Option(help="Comma-separated; all by default.")] = ",".join(
        sorted(SERVICES)
    ),
    owner: options.Owners = None,
) -> None:
    """Make a key pair for each service that has none. Safe to repeat."""
    place, names = _folder(data, folder), _known(services)
    made = keys.make(place, names, time.time())
    for name, user in options.numbers(owner).items():
        options.give(place / name, user)
    typer.echo(f"made: {', '.join(made) or 'nothing, all are there'}")


@app.command("rotate")
def rotate(
    service: Annotated[
        str,
        typer.Argument(help=f"A service, {keys.LOG} (signs the log) or {keys.DETAILS} (wraps details)."),
    ],
    data: options.Data = options.RUN,
    folder: Folder = None,
    overlap: Annotated[
        int | None,
        typer.Option(
            help=f"Seconds for which the old key still opens, or signs; {keys.OVERLAP}, the log's "
            f"{keys.LOG_OVERLAP} by default.",
            min=0,
        ),
    ] = None,
    start_after: Annotated[
        int, typer.Option(help="Seconds until the new key is used; every process has to have seen it.", min=0)
    ] = keys.START_AFTER,
) -> None:
    """Give a service a new key; the old one ends after the overlap. No restart is needed.

    During its overlap the log is signed with both keys; afterwards what the old one signed still verifies
    with it. Details stay as they are: `concordat audit rewrap` then wraps their keys anew.
    """
    place, now = _folder(data, folder), time.time()
    try:
        if service == keys.DETAILS:
            kid = keys.rotate_details(place, now, start_after=start_after)
            typer.echo(f"{service}: key {kid} is used in {start_after} s; then run `concordat audit rewrap`")
            return
        if service == keys.LOG:
            overlap = keys.LOG_OVERLAP if overlap is None else overlap
            kid = keys.rotate_log(place, now, overlap=overlap, start_after=start_after)
        else:
            overlap = keys.OVERLAP if overlap is None else overlap
            kid = keys.rotate(place, service, now, overlap=overlap, start_after=start_after)
    except LookupError:
        raise Trouble(f"{service} has no key. Make one with `concordat keys make`.") from None
    typer.echo(f"{service}: key {kid} is used in {start_after} s; the old one ends {overlap} s later")


@app.command("list")
def list_(data: options.Data = options.RUN, folder: Folder = None) -> None:
    """List the public keys and when they begin and end."""
    table = Table("service", "key", "from", "until", "state")
    for key in keys.listed(_folder(data, folder)):
        table.add_row(key.service, key.kid, _time(key.since), _time(key.until), _state(key, time.time()))
    Console().print(table)


def _folder(data: Path, folder: Path | None) -> Path:
    return folder or data / "secrets" / "keys"


def _known(services: str) -> list[str]:
    names = [name.strip() for name in services.split(",") if name.strip()]
    if unknown := sorted(set(names) - SERVICES.keys()):
        raise Trouble(f"There is no service {', '.join(unknown)}. Known: {', '.join(sorted(SERVICES))}.")
    return names


def _time(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _state(key: keys.Listed, now: float) -> str:
    if key.until is not None and key.until <= now:
        return "ended"
    return "not begun" if key.since > now else "in use" if key.until is None else "ending"
