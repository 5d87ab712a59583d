"""`concordat bootstrap`: the operator's agency and its first administrator."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy import bootstrap as first
from deploy import options
from deploy.launcher.cell import remembered


def bootstrap(
    username: Annotated[str, typer.Option(help="Log-in of the first administrator.")],
    name: Annotated[str, typer.Option(help="The administrator's own name.")],
    email: Annotated[str, typer.Option(help="The administrator's address.")],
    data: options.Data = options.RUN,
) -> None:
    """Make the operator's agency and its first administrator, who activates with the token that is printed.

    Safe to repeat: there is one first administrator. Elsewhere than in a cell the same is done inside a
    container of sharing: python -m services.sharing.bootstrap.
    """
    made = first.run(
        remembered(data).environment_of("sharing"), ["--username", username, "--name", name, "--email", email]
    )
    token = made.get("activation_token")
    if token is None:
        typer.echo("The first administrator is there and active.")
        return
    typer.echo(f"Activate at the gateway's /activate page, once, with this token:\n{token}")
