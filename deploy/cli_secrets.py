"""`concordat secrets make`: every password, URL and settings file that broker, database and services need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy import options
from deploy.launcher import credentials, database
from deploy.launcher.broker import OPERATOR
from deploy.launcher.services import with_database
from deploy.launcher.trouble import Trouble
from services.chassis.topology import MESSAGE_BYTES, VHOST
from services.contracts.directory import SERVICES

app = typer.Typer(no_args_is_help=True, help="Make the secrets of a run that is not a cell's.")

BROKER, DATABASE = "rabbitmq", "mongo"
"""Names for --owner: who reads the broker's settings file, and the database's key and first password."""


@app.callback()
def group() -> None:
    """Make the secrets of a run that is not a cell's."""


@app.command()
def make(
    folder: Annotated[Path, typer.Option(help="Where to put them.", file_okay=False)],
    broker: Annotated[str, typer.Option(metavar="HOST:PORT", help="Comma-separated.")] = "rabbitmq:5672",
    members: Annotated[
        str, typer.Option("--database", metavar="HOST:PORT", help="Comma-separated members.")
    ] = "mongo:27017",
    owner: options.Owners = None,
) -> None:
    """Make the passwords that are missing, and from them the URLs of every service. Safe to repeat."""
    owners = options.numbers(owner)
    if unknown := sorted(owners.keys() - {*SERVICES, BROKER, DATABASE}):
        raise Trouble(f"Nobody is called {', '.join(unknown)}. Known: {BROKER}, {DATABASE}, services.")
    try:
        _of_broker(folder, owners.get(BROKER))
        _of_database(folder, members, owners.get(DATABASE))
        for service in sorted(SERVICES):
            _of_service(folder, service, broker, members)
            options.give(folder / service, owners.get(service))
    except OSError as error:
        raise Trouble(f"{folder} cannot be written ({error.strerror}). Choose another.") from None
    typer.echo(f"secrets of {len(SERVICES)} services are in {folder}")


def _of_broker(folder: Path, owner: int | None) -> None:
    """The operator's account is made by the broker itself, at its very first start."""
    secret = credentials.password(folder, OPERATOR)
    settings = f"default_vhost = {VHOST}\ndefault_user = {OPERATOR}\ndefault_pass = {secret}\n"
    settings += f"max_message_size = {MESSAGE_BYTES}\n"
    options.give(credentials.write(folder / "rabbitmq.conf", settings), owner)


def _of_database(folder: Path, members: str, owner: int | None) -> None:
    secret = credentials.password(folder, f"{OPERATOR}.mongo")
    # No replica set in it: the first to use this URL is who makes the set.
    credentials.write(
        folder / f"{OPERATOR}.mongo_url", f"mongodb://{OPERATOR}:{secret}@{members}/?authSource=admin"
    )
    for file in (folder / f"{OPERATOR}.mongo", database.member_key(folder)):
        options.give(file, owner)


def _of_service(folder: Path, service: str, broker: str, members: str) -> None:
    secret = credentials.password(folder, f"{service}.rabbitmq")
    urls = [f"amqp://{service}:{secret}@{host.strip()}/{VHOST}" for host in broker.split(",")]
    credentials.write(folder / service / "rabbitmq_url", ",".join(urls))
    if service in with_database(SERVICES):
        secret = credentials.password(folder, f"{service}.mongo")
        place = f"{members}/{service}?authSource=admin&replicaSet={database.REPLICA_SET}"
        credentials.write(folder / service / "mongo_url", f"mongodb://{service}:{secret}@{place}")
