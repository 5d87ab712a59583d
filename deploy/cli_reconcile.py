"""`concordat reconcile`: mends a sharing that an older copy was put back into. Elsewhere, in a container of
sharing: python -m services.sharing.reconcile.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from deploy import options
from deploy.launcher.cell import remembered
from deploy.launcher.places import CHECKOUT
from deploy.launcher.trouble import Trouble


def reconcile(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only look. Exit code 1 when there is something to do.")
    ] = False,
    restored: Annotated[
        bool, typer.Option("--restored", help="An older copy was put back, whether it was noticed or not.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="How long to wait for it; it goes on after that.")] = 3600.0,
    data: options.Data = options.RUN,
) -> None:
    """After an older database of sharing was restored: compare every case with its holder, keep the narrower,
    begin a new term, end all sessions. Until then sharing serves nobody. Safe to repeat.
    """
    if check and restored:
        raise Trouble("--check changes nothing, and --restored does: give one of them.")
    more = [*(["--check"] if check else []), *(["--restored"] if restored else [])]
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "services.sharing.reconcile",
            "--seconds",
            str(seconds),
            *more,
        ],
        cwd=CHECKOUT,
        env={**os.environ, **remembered(data).environment_of("sharing")},
        check=False,
    )
    if done.returncode:
        raise typer.Exit(done.returncode)
