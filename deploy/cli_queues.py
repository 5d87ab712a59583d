"""`concordat queues`: what waits, what is dead, what nobody reads; and `replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import amqp
import typer
from rich.console import Console
from rich.table import Column, Table

from deploy import options, queues
from deploy.launcher.broker import OPERATOR
from deploy.launcher.trouble import Trouble
from services.contracts.directory import SERVICES

app = typer.Typer(invoke_without_command=True, help="List the broker's queues; replay dead letters.")


@app.callback()
def group(context: typer.Context) -> None:
    """List the broker's queues; replay dead letters."""
    if context.invoked_subcommand is None:
        context.invoke(list_, data=options.RUN, api=None, user=OPERATOR, password_file=None)


@app.command("list")
def list_(
    data: options.Data = options.RUN,
    api: options.Api = None,
    user: options.User = OPERATOR,
    password_file: options.PasswordFile = None,
) -> None:
    """Each queue: messages waiting and in work, consumers, and what is wrong.

    The number in work is up to 10 s old; with --api the others are too.
    """
    rows = options.operator_api(data, api, user, password_file).queues()
    if api is None:
        rows = queues.counted(rows, options.running_cell(data).rabbitmq_url(OPERATOR))
    table = Table(
        Column("queue", no_wrap=True, overflow="fold"), "lag", "ready", "unacked", "consumers", "remark"
    )
    for standing in queues.standings(rows, SERVICES):
        figures = (standing.lag, standing.ready, standing.unacked, standing.consumers)
        table.add_row(
            standing.name, *map(str, figures), standing.remark, style="yellow" if standing.remark else None
        )
    Console().print(table)


@app.command()
def replay(
    service: str,
    limit: Annotated[int | None, typer.Option(help="At most this many.", min=1)] = None,
    data: options.Data = options.RUN,
    url_file: Annotated[
        Path | None, typer.Option(help="File with the operator's AMQP URL of a broker that is not a cell's.")
    ] = None,
) -> None:
    """Put a service's dead letters back on the queues that they died from."""
    if service not in SERVICES or not SERVICES[service].subscribes:
        listeners = ", ".join(sorted(name for name, shape in SERVICES.items() if shape.subscribes))
        raise Trouble(f"{service} receives no events. Services that do: {listeners}.")
    url = options.secret(url_file) if url_file else options.running_cell(data).rabbitmq_url(OPERATOR)
    try:
        done = queues.replay(url, service, SERVICES[service], limit)
    except (OSError, amqp.AMQPError) as error:
        raise Trouble(
            f"The replay was cut off ({type(error).__name__}). Nothing is lost; repeat it."
        ) from None
    typer.echo(
        f"{service}: {done.moved} replayed, {done.kept} kept (no queue to go back to), {done.refused} refused"
    )
    raise typer.Exit(1 if done.refused else 0)
