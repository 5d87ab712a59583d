"""`concordat import people|users FILE`: CSV files through the HTTP API, as a person who is logged in."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy import options
from deploy.importing.api import Api
from deploy.importing.loading import Outcome, load, write_errors, write_tokens
from deploy.importing.people import people
from deploy.importing.tables import Kind, Table, open_table
from deploy.importing.users import users
from deploy.launcher.trouble import Trouble

app = typer.Typer(no_args_is_help=True, help="Load CSV files through the API.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, UTF-8.", dir_okay=False)]
Agency = Annotated[str | None, typer.Option("--agency", help="Whose, by name or id. Default: your own.")]
Url = Annotated[
    str, typer.Option("--url", envvar="CONCORDAT_URL", help="The site, such as https://concordat.example.")
]
Username = Annotated[
    str, typer.Option("--username", envvar="CONCORDAT_USERNAME", prompt="Username", help="Who does it.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        envvar="CONCORDAT_PASSWORD_FILE",
        help="Its first line is the password. Else CONCORDAT_PASSWORD, else it is asked for.",
    ),
]
Totp = Annotated[str | None, typer.Option("--totp", help="The authenticator's code; else it is asked for.")]


@app.callback()
def group() -> None:
    """Load CSV files through the API, as a person who is logged in. A file may be loaded again: what is there
    stays as it is. Exit code 1 when a row was not taken: FILE.errors.csv has those rows, and why.
    """


@app.command("people")
def import_people(
    file: File,
    *,
    team: Annotated[str, typer.Option("--team", help="One of your teams, by name or id: it keeps them.")],
    url: Url,
    username: Username,
    agency: Agency = None,
    system: Annotated[
        str, typer.Option("--system", help="Where the references in the file come from: a short name.")
    ] = "import",
    password_file: PasswordFile = None,
    totp: Totp = None,
) -> None:
    """Load persons.

    Columns: external_id (or rec_id); given_name, family_name (or surname); alias_given_name,
    alias_family_name; date_of_birth (YYYY, YYYY-MM, YYYY-MM-DD, YYYYMMDD); nhs, pnc, cro, upn, nino;
    other_id (or soc_sec_id). Address columns may be there and are not loaded.
    """

    def prepare(api: Api) -> tuple[str, Kind]:
        me = api.get("/me")
        agency_id = _chosen("agency", agency or me["agency"]["id"], [me["agency"]])
        return agency_id, people(_chosen("team", team, me["teams"]), system)

    table = open_table(file, people("", system))
    _run(table, url, prepare, username=username, password_file=password_file, totp=totp)


@app.command("users")
def import_users(
    file: File,
    *,
    url: Url,
    username: Username,
    agency: Agency = None,
    password_file: PasswordFile = None,
    totp: Totp = None,
) -> None:
    """Invite people to an agency.

    Columns: username, name, email, job_title, teams (names, separated by ;), roles (separated by ;).
    Where the site sends no mail, FILE.activations.csv has what each of them activates the account with.
    """

    def prepare(api: Api) -> tuple[str, Kind]:
        own = api.get("/me")["agency"]
        known = [own] if agency in (None, own["id"], own["name"]) else list(api.items("/agencies"))
        agency_id = _chosen("agency", agency or own["id"], known)
        teams = {one["name"]: one["id"] for one in api.items(f"/teams?agency_id={agency_id}")}
        return agency_id, users(agency_id, teams)

    table = open_table(file, users("", {}))
    _run(table, url, prepare, username=username, password_file=password_file, totp=totp)


def _run(
    table: Table,
    url: str,
    prepare: Callable[[Api], tuple[str, Kind]],
    *,
    username: str,
    password_file: Path | None,
    totp: str | None,
) -> None:
    with Api(url) as api:
        api.log_in(username, _password(password_file), lambda: totp or getpass.getpass("Code: "))
        agency_id, kind = prepare(api)
        with _progress() as progress:
            bar = progress.add_task(table.path.name, total=table.rows)
            outcome = load(api, agency_id, kind, table, lambda: progress.advance(bar))
    _tell(table, outcome)
    raise typer.Exit(1 if outcome.failed else 0)


def _tell(table: Table, outcome: Outcome) -> None:
    """Numbers and file names; never what stands in the file."""
    errors = table.path.with_name(f"{table.path.name}.errors.csv")
    activations = table.path.with_name(f"{table.path.name}.activations.csv")
    if outcome.failed:
        write_errors(errors, table, outcome)
    else:
        errors.unlink(missing_ok=True)
    if outcome.tokens:
        write_tokens(activations, outcome)
    summary = f"{table.path.name}: {outcome.made} made, {outcome.already} already there"
    summary += f", {len(outcome.failed)} not taken: see {errors}" if outcome.failed else ""
    typer.echo(summary)
    if table.unused:
        typer.echo(f"not loaded: {', '.join(table.unused)}")
    if outcome.tokens:
        typer.echo(f"activation tokens: {activations}")


def _progress() -> Progress:
    columns: list[Any] = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    ]
    return Progress(*columns, console=Console(stderr=True))


def _chosen(what: str, wanted: str, known: list[dict[str, Any]]) -> str:
    """The id of the one that has this name or id. Raises Trouble."""
    found = [one["id"] for one in known if wanted in (one["id"], one["name"])]
    if len(found) != 1:
        names = ", ".join(sorted(one["name"] for one in known)) or "none"
        raise Trouble(f"{wanted!r} is no {what} of yours. There are: {names}.")
    return str(found[0])


def _password(file: Path | None) -> str:
    if file is not None:
        return options.secret(file).partition("\n")[0]
    if password := os.environ.get("CONCORDAT_PASSWORD"):
        return password
    if not sys.stdin.isatty():
        raise Trouble("Nobody is there to be asked for the password. Set CONCORDAT_PASSWORD_FILE.")
    return getpass.getpass("Password: ")
