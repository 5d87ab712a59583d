"""`concordat topology apply`: declares users, permissions, exchanges and queues, in a cell and in
production alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy import options
from deploy.launcher.trouble import Trouble
from deploy.operator_api import OperatorApi
from services.chassis import topology
from services.contracts.directory import SERVICES

app = typer.Typer(no_args_is_help=True, help="Declare what exists on the broker.")


@app.callback()
def group() -> None:
    """Declare what exists on the broker."""


@app.command()
def apply(
    *,
    data: options.Data = options.RUN,
    api: options.Api = None,
    user: options.User = "operator",
    password_file: options.PasswordFile = None,
    passwords: Annotated[
        Path | None, typer.Option(help="Folder with a file SERVICE.rabbitmq for each service's password.")
    ] = None,
    cluster: Annotated[bool, typer.Option(help="Request queues on several nodes.")] = False,
) -> None:
    """Declare users, permissions, exchanges and queues. Safe to repeat; removes nothing."""
    names = sorted(SERVICES)
    if api is None:
        cell = options.running_cell(data)
        users = {name: cell.broker_password(name) for name in names}
        cluster = cell.plan.cluster
    elif passwords is None:
        raise Trouble("--api needs --passwords, the folder with the services' passwords.")
    else:
        users = options.passwords(passwords, "rabbitmq", names)
    broker = options.operator_api(data, api, user, password_file)
    broker.import_definitions(topology.definitions(SERVICES, users, cluster=cluster))
    _refuse_differences(broker, cluster=cluster)
    typer.echo(f"declared: {len(users)} users, {len(topology.expected_queues(SERVICES))} queues")


def _refuse_differences(broker: OperatorApi, *, cluster: bool) -> None:
    """The broker keeps a queue that it has, whatever the document says of it."""
    wanted = {queue["name"]: queue["arguments"] for queue in topology.queues(SERVICES, cluster=cluster)}
    different = sorted(q["name"] for q in broker.queues() if _differs(q, wanted.get(q["name"])))
    if different:
        raise Trouble(
            f"Declared, but these queues are there with other arguments: {', '.join(different)}. "
            "Empty and delete them, then apply again."
        )


def _differs(queue: dict[str, object], wanted: dict[str, object] | None) -> bool:
    arguments = queue["arguments"]
    assert isinstance(arguments, dict)
    usual = {"x-queue-type": "classic"}
    return wanted is not None and {**usual, **arguments} != {**usual, **wanted}
