"""`concordat verify`: check what the log has given out. `verifier.py` does it, also by itself, elsewhere."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from deploy import verifier

app = typer.Typer(no_args_is_help=True, help="Check what the log has given out against its public key.")

Key = Annotated[
    str, typer.Option("--key", help="The log's public key, name+hash+base64, or a file that holds it.")
]


@app.callback()
def group() -> None:
    """Check what the audit log has given out against the log's public key."""


@app.command("export")
def export(
    file: Annotated[str, typer.Argument(help="The export; - reads standard input.")], key: Key
) -> None:
    """Check every entry, every detail, and the signed root. Exits with 1 and names what is wrong."""
    _check(file, key, "export")


@app.command("receipt")
def receipt(
    file: Annotated[str, typer.Argument(help="The receipt; - reads standard input.")], key: Key
) -> None:
    """Check that the entry of a receipt is in the log. Exits with 1 and says what is wrong."""
    _check(file, key, "receipt")


@app.command("statement")
def statement(
    file: Annotated[str, typer.Argument(help="The statement; - reads standard input.")], key: Key
) -> None:
    """Check that a statement is whole and as the log knows it. Exits with 1 and says what is wrong."""
    _check(file, key, "statement")


def _check(file: str, key: str, what: str) -> None:
    try:
        typer.echo(verifier.run(file, key, what))
    except verifier.Wrong as problem:
        print(f"NOT verified: {problem}", file=sys.stderr)
        raise typer.Exit(1) from None
    except verifier.Unusable as problem:
        print(problem, file=sys.stderr)
        raise typer.Exit(2) from None
