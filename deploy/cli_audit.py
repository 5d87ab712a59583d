"""`concordat audit`: checks and keeps the log of a cell. Elsewhere, in a container of audit:
python -m services.audit.tools.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from deploy import options
from deploy.launcher.cell import remembered
from deploy.launcher.places import CHECKOUT
from deploy.launcher.trouble import Trouble

app = typer.Typer(no_args_is_help=True, help="Check the audit log as it is stored; export, erase, wrap anew.")


@app.command("fsck")
def fsck(data: options.Data = options.RUN) -> None:
    """Compute every hash again from the stored leaves. Exits with 1 and names the first that is wrong."""
    _run(data, "fsck")


@app.command("tiles")
def tiles(
    folder: Annotated[Path, typer.Argument(help="Where to write; a copy there is brought up to date.")],
    details: Annotated[
        Path | None,
        typer.Option(help="Another folder, for details (encrypted) and their keys: `restore` needs it."),
    ] = None,
    data: options.Data = options.RUN,
) -> None:
    """Write the log as files in the C2SP tlog-tiles layout: hashes, leaves, checkpoint; no details."""
    more = () if details is None else ("--details", str(details.resolve()))
    _run(data, "tiles", str(folder.resolve()), *more)


@app.command("restore")
def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `tiles` wrote, or a copy of it.")],
    details: Annotated[Path, typer.Option(help="The folder of its details.")],
    known: Annotated[
        Path | None, typer.Option(help="A checkpoint that a witness or an agency has: it must be in there.")
    ] = None,
    data: options.Data = options.RUN,
) -> None:
    """Check a copy of the log against its checkpoint, whole, and put it back into an empty database."""
    more = () if known is None else ("--known", str(known.resolve()))
    _run(data, "restore", str(folder.resolve()), "--details", str(details.resolve()), *more)


@app.command("check-tiles")
def check_tiles(
    folder: Annotated[Path, typer.Argument(help="A folder that `tiles` wrote, or a copy of it.")],
    key: Annotated[str, typer.Option("--key", help="The log's public key, name+hash+base64.")],
) -> None:
    """Compute every tile again from the entries, and compare with the signed checkpoint."""
    _tool({}, "check-tiles", str(folder.resolve()), key)


@app.command("shred")
def shred(
    subject: Annotated[str | None, typer.Option(help="The subject's id.")] = None,
    case: Annotated[str | None, typer.Option(help="The case's id.")] = None,
    data: options.Data = options.RUN,
) -> None:
    """Destroy the details, and their keys, of entries about a subject or a case. Every proof stays valid."""
    if (subject is None) == (case is None):
        raise Trouble("Name either --subject or --case.")
    _run(data, "shred", *(("--subject", subject) if subject else ("--case", str(case))))


@app.command("retire")
def retire(data: options.Data = options.RUN) -> None:
    """Destroy details older than CONCORDAT_AUDIT_KEEP_DAYS. Leaves stay, and every proof is valid still."""
    _run(data, "retire")


@app.command("rewrap")
def rewrap(data: options.Data = options.RUN) -> None:
    """Wrap the keys of details with the newest key of `concordat keys rotate audit-details`."""
    _run(data, "rewrap")


def _run(data: Path, *arguments: str) -> None:
    _tool(remembered(data).environment_of("audit"), *arguments)


def _tool(environment: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "services.audit.tools", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        check=False,
    )
    if done.returncode:
        raise typer.Exit(done.returncode)
