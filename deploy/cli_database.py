"""`concordat database apply`: makes the services' database users."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy import options
from deploy.launcher.database import REPLICA_SET
from deploy.launcher.services import with_database
from deploy.launcher.trouble import Trouble
from services.contracts.directory import SERVICES

app = typer.Typer(no_args_is_help=True, help="Set up the database.")

_MEMBER_SECONDS = 60.0


@app.callback()
def group() -> None:
    """Set up the database."""


@app.command()
def apply(
    url_file: Annotated[Path, typer.Option(help="File with the URL of an account that may make users.")],
    passwords: Annotated[
        Path, typer.Option(help="Folder with a file SERVICE.mongo for each service's password.")
    ],
    members: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT,...", help="Make one replica set of these first, where there is none yet."
        ),
    ] = None,
) -> None:
    """Make one user per service, each with its own database only. Safe to repeat."""
    from deploy import store  # pymongo takes 0.1 s to import, which no other command should wait for

    names = sorted(with_database(SERVICES))
    try:
        if members:
            store.form(options.secret(url_file), REPLICA_SET, members.split(","), _MEMBER_SECONDS)
        store.grant(options.secret(url_file), options.passwords(passwords, "mongo", names))
    except store.StoreTrouble as error:
        raise Trouble(f"The database could not be set up: {error}.") from None
    typer.echo(f"declared: {len(names)} users")
