"""`concordat queues`: what waits, what is dead, what nobody reads; `dead`, `replay` and `discard`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import amqp
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from deploy import dead_letters, options, queues
from deploy.dead_letters import Group
from deploy.launcher.broker import OPERATOR
from deploy.launcher.trouble import Trouble
from services.chassis.topology import dead_queue, expected_queues
from services.contracts.directory import RECORDER, SERVICES

app = typer.Typer(
    invoke_without_command=True, help="List the broker's queues; look at, replay and discard dead letters."
)

UrlFile = Annotated[
    Path | None, typer.Option(help="File with the operator's AMQP URL of a broker that is not a cell's.")
]


@app.callback()
def group(context: typer.Context) -> None:
    """List the broker's queues; look at, replay and discard dead letters."""
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
def dead(service: str, data: options.Data = options.RUN, url_file: UrlFile = None) -> None:
    """Count a service's dead letters by where and of what they died; all of them stay."""
    _show(service, _groups(service, _url(service, data, url_file)))


@app.command()
def replay(
    service: str,
    limit: Annotated[int | None, typer.Option(help="At most this many.", min=1)] = None,
    data: options.Data = options.RUN,
    url_file: UrlFile = None,
) -> None:
    """Put a service's dead letters back on the queues that they died from: events, and the log's records."""
    if service not in dead_letters.replayed_services():
        listeners = ", ".join(sorted(name for name, shape in SERVICES.items() if shape.subscribes))
        raise Trouble(
            f"{service} receives no events. Services that do: {listeners}. {RECORDER} receives records."
        )
    url = _url(service, data, url_file)
    with _told("The replay"):
        done = dead_letters.replay(url, service, limit)
    typer.echo(f"{service}: {done.moved} replayed, {done.kept} kept (no way back), {done.refused} refused")
    raise typer.Exit(1 if done.refused else 0)


@app.command()
def discard(
    service: str,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Events and records that could be replayed, too.")
    ] = False,
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: options.Data = options.RUN,
    url_file: UrlFile = None,
) -> None:
    """Delete for good those of a service's dead letters that have no way back, such as refused requests."""
    url = _url(service, data, url_file)
    found = [one for one in _groups(service, url) if everything or not one.kind.replayable]
    _show(service, found)
    count = sum(one.count for one in found)
    if not count:
        return
    if not sure:
        typer.confirm(f"Delete {count} for good?", abort=True)
    with _told("The deletion"):
        gone = dead_letters.discard(url, service, {one.kind: one.count for one in found})
    typer.echo(f"{service}: {gone} deleted")


def _groups(service: str, url: str) -> list[Group]:
    with _told("The look"):
        return dead_letters.groups(url, service)


def _show(service: str, found: list[Group]) -> None:
    if not found:
        typer.echo(f"{service}: nothing there")
        return
    table = Table("died in", "of", "count", "bytes", "replay")
    for one in found:
        way = "possible" if one.kind.replayable else "no way back"
        origin, reason = (escape(text[:80]) for text in (one.kind.origin or "unknown", one.kind.reason))
        table.add_row(origin, reason, str(one.count), str(one.size), way)
    Console().print(table)


def _url(service: str, data: Path, url_file: Path | None) -> str:
    """The operator's. Raises Trouble for a service that has no dead letters."""
    able = [name for name in sorted(SERVICES) if dead_queue(name) in expected_queues(SERVICES)]
    if service not in able:
        raise Trouble(f"{service} has no dead letters. Services that may: {', '.join(able)}.")
    return options.secret(url_file) if url_file else options.running_cell(data).rabbitmq_url(OPERATOR)


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, amqp.AMQPError) as error:
        raise Trouble(f"{what} was cut off ({type(error).__name__}). Nothing is lost; repeat it.") from None
