"""`concordat verify`: check what the log has given out. `verifier.py` does it, also by itself, elsewhere."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from deploy import verifier

app = typer.Typer(no_args_is_help=True, help="Check an exported audit log against the log's public key.")

Key = Annotated[
    str, typer.Option("--key", help="The log's public key, name+hash+base64, or a file that holds it.")
]


@app.callback()
def group() -> None:
    """Check an exported audit log against the log's public key."""


@app.command("export")
def export(
    file: Annotated[str, typer.Argument(help="The export; - reads standard input.")], key: Key
) -> None:
    """Check every entry, every detail, and the signed root. Exits with 1 and names what is wrong."""
    try:
        typer.echo(verifier.run(file, key))
    except verifier.Wrong as problem:
        print(f"NOT verified: {problem}", file=sys.stderr)
        raise typer.Exit(1) from None
    except verifier.Unusable as problem:
        print(problem, file=sys.stderr)
        raise typer.Exit(2) from None
