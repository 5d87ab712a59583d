"""The `concordat` command: runs the system on this machine, and sets up and looks after one that runs
elsewhere.
"""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.markup import escape

from deploy import (
    cli_audit,
    cli_bootstrap,
    cli_cell,
    cli_database,
    cli_import,
    cli_keys,
    cli_queues,
    cli_reconcile,
    cli_secrets,
    cli_settings,
    cli_topology,
    cli_verify,
    cli_witness,
)
from deploy.launcher.trouble import Trouble
from deploy.operator_api import ApiTrouble
from deploy.queues import BrokerTrouble

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)

cli_cell.add_to(app)
app.command("witness")(cli_witness.witness)
app.command("settings")(cli_settings.settings)
app.command("bootstrap")(cli_bootstrap.bootstrap)
app.command("reconcile")(cli_reconcile.reconcile)
app.add_typer(cli_topology.app, name="topology")
app.add_typer(cli_database.app, name="database")
app.add_typer(cli_queues.app, name="queues")
app.add_typer(cli_keys.app, name="keys")
app.add_typer(cli_secrets.app, name="secrets")
app.add_typer(cli_import.app, name="import")
app.add_typer(cli_audit.app, name="audit")
app.add_typer(cli_verify.app, name="verify")


def main() -> None:
    """Run a command; trouble is told in plain words and ends with exit code 1."""
    try:
        app()
    except (Trouble, ApiTrouble, BrokerTrouble) as trouble:
        Console(stderr=True, soft_wrap=True).print(f"[red]concordat:[/red] {escape(str(trouble))}")
        sys.exit(1)
