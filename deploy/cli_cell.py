"""`concordat up`, `status`, `doctor`, `logs`, `down`: the whole system on this machine."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy import demo, options
from deploy.launcher import doctor as examination
from deploy.launcher import sweep
from deploy.launcher.cell import Cell, remembered
from deploy.launcher.given import Given
from deploy.launcher.places import Places
from deploy.launcher.plan import GATEWAY
from deploy.launcher.services import Environment
from deploy.launcher.trouble import Trouble
from services.contracts.directory import SERVICES

console = Console(soft_wrap=True)

_LOOK_EVERY = 1.0


def add_to(app: typer.Typer) -> None:
    for command in (up, status, doctor, logs, down):
        app.command()(command)


def up(
    *,
    count: Annotated[
        list[str] | None,
        typer.Option("-c", "--count", metavar="SERVICE=N", help="How many of a service; may be repeated."),
    ] = None,
    cluster: Annotated[bool, typer.Option(help="Three broker nodes and three database members.")] = False,
    foreground: Annotated[bool, typer.Option(help="Stay, and stop everything at Ctrl-C.")] = False,
    port: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=N", help="A fixed port, such as gateway=8080; may be repeated."),
    ] = None,
    demonstrate: Annotated[
        bool, typer.Option("--demo", help="Fill it with an invented partnership, and say who can log in.")
    ] = False,
    size: Annotated[
        int, typer.Option(metavar="CASES", min=0, max=200_000, help="With --demo: this many cases more.")
    ] = 0,
    proving_ground: Annotated[
        bool, typer.Option("--echo", help="Start the proving ground too, and serve its routes (no log-in).")
    ] = False,
    data: options.Data = options.RUN,
) -> None:
    """Start broker, database, services and gateway, and wait until they are ready.

    RABBITMQ_URL, RABBITMQ_API and MONGO_URL in the environment name ones that run already, by accounts that
    may make users.
    """
    usual = {name: int(proving_ground or not shape.proving) for name, shape in SERVICES.items()}
    counts = {**usual, **options.numbers(count)}
    if unknown := sorted(counts.keys() - SERVICES.keys()):
        raise Trouble(f"There is no service {', '.join(unknown)}. Known: {', '.join(sorted(SERVICES))}.")
    given, wanted = Given.from_environment(os.environ), options.numbers(port)
    if demonstrate:
        demo.check(given)
        wanted = {**demo.port(), **wanted}
    began = time.monotonic()
    with console.status("starting broker and database") as status:

        def say(text: str) -> None:
            console.print(f"  {text} [dim]{time.monotonic() - began:.1f} s[/dim]")
            status.update("starting")

        cell = Cell(
            data,
            counts,
            cluster=cluster,
            wanted_ports=wanted,
            given=given,
            environment=_environment(demonstrate, proving_ground),
            say=say,
        )
        with _ending_with_us(cell) if foreground else nullcontext():
            cell.up()
    console.print(f"[green]up[/green] in {time.monotonic() - began:.1f} s: {cell.url or 'no gateway'}")
    if demonstrate and cell.url:
        print(demo.fill(cell, size, lambda text: console.print(f"  {text}")))
    if foreground:
        _stay(cell)


def _environment(demonstrate: bool, proving_ground: bool) -> Environment:
    """Both are for this machine alone: nobody logs in to the proving ground's routes."""
    echo = {GATEWAY: {"CONCORDAT_ECHO": "1"}} if proving_ground else {}
    return {**echo, **(demo.ENVIRONMENT if demonstrate else {})}


def status(data: options.Data = options.RUN) -> None:
    """Show every process: state, readiness, pid, port, uptime, restarts. Exit code 1 unless all are ready."""
    cell = remembered(data)
    if not cell.is_up():
        _tell_down(cell.places)
        raise typer.Exit(1)
    table = Table("process", "state", "ready", "pid", "port", "up", "restarts")
    found = cell.processes(ask_ready=True).values()
    for one in found:
        figures = (str(one.pid or ""), str(one.port), _span(one.uptime), str(one.restarts))
        table.add_row(
            one.name,
            one.state.lower(),
            "yes" if one.ready else "no",
            *figures,
            style=None if one.ready else "red",
        )
    console.print(table)
    console.print(f"gateway: {cell.url or 'none'}")
    raise typer.Exit(0 if all(one.ready for one in found) else 1)


def doctor(data: options.Data = options.RUN) -> None:
    """Check tools, versions, ports, folders, leftovers and queues. Exit code 1 when something is wrong."""
    good = True
    for finding in examination.examine(data):
        good = good and finding.good
        mark = "[green]good[/green]" if finding.good else "[red]bad [/red]"
        console.print(f"{mark} {finding.what}: {escape(finding.text)}")
    raise typer.Exit(0 if good else 1)


def logs(
    name: Annotated[str | None, typer.Argument(help="A process, such as echo-1; all by default.")] = None,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1)] = 40,
    follow: Annotated[bool, typer.Option("-f", "--follow")] = False,
    data: options.Data = options.RUN,
) -> None:
    """Show the ends of the logs."""
    folder = Places(data.resolve()).logs
    files = sorted(file for file in folder.glob(f"{name or '*'}*.log") if _is_of(file, name))
    if not files:
        raise Trouble(
            f"There is no log of {name or 'anything'} under {folder}. `concordat status` lists the processes."
        )
    for file in files:
        for line in file.read_text(errors="replace").splitlines()[-lines:]:
            print(f"{file.stem}: {line}")
    if follow:
        _follow(files)


def down(data: options.Data = options.RUN) -> None:
    """Stop everything that was started under the folder, also after a crash. Data and secrets stay."""
    places = Places(data.resolve())
    if not places.root.exists():
        raise Trouble(f"There is no {data}. Name the cell's folder with --data.")
    began = time.monotonic()
    there = len(sweep.marked(places.root))
    with console.status("stopping"):
        left = Cell(data, {}).down() if not places.state.exists() else remembered(data).down()
    note = f", {left} of them left without a supervisor" if left else ""
    console.print(f"down in {time.monotonic() - began:.1f} s: {there} processes ended{note}")


@contextmanager
def _ending_with_us(cell: Cell) -> Iterator[None]:
    """Ctrl-C, SIGTERM or trouble during the start stops what has started."""

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except (KeyboardInterrupt, Trouble):
        console.print("stopping")
        cell.down()
        raise


def _stay(cell: Cell) -> None:
    """Until Ctrl-C or SIGTERM, or until somebody else stopped the cell."""
    try:
        while cell.is_up():
            time.sleep(_LOOK_EVERY)
        console.print("[red]the supervisor has ended[/red]; stopping what it left")
        cell.down()
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("stopping")
        cell.down()


def _tell_down(places: Places) -> None:
    left: Mapping[int, str] = {found.pid: found.name for found in sweep.marked(places.root)}
    if left:
        console.print(
            f"[red]The supervisor has ended, {len(left)} processes run on without it.[/red] "
            "`concordat up` starts afresh, `concordat down` ends them."
        )
    else:
        console.print(f"Nothing runs under {places.root}. Start it with `concordat up`.")


def _span(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds))) if seconds else ""


def _is_of(file: Path, name: str | None) -> bool:
    """The process itself or its instances: echo names echo-1 and echo-2, not echo-server."""
    return name is None or file.stem == name or file.stem.removeprefix(f"{name}-").isdecimal()


def _follow(files: Sequence[Path]) -> None:
    open_files = [(file, file.open(errors="replace")) for file in files]
    for _, stream in open_files:
        stream.seek(0, os.SEEK_END)
    try:
        while True:
            for file, stream in open_files:
                for line in stream:
                    print(f"{file.stem}: {line}", end="", flush=True)
            time.sleep(0.2)
    except KeyboardInterrupt:
        return
    finally:
        for _, stream in open_files:
            stream.close()
