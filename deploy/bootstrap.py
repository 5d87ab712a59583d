"""The first person: the operator's agency and its first administrator, who activates with a one-time token.

The work is sharing's own (`python -m services.sharing.bootstrap`); here it is run with sharing's settings.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.launcher.places import CHECKOUT
from deploy.launcher.trouble import Trouble

_SECONDS = 60


def run(environment: Mapping[str, str], options: Sequence[str]) -> dict[str, Any]:
    """What sharing printed: ids, and `activation_token` unless the account is active already.

    Raises Trouble.
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "services.sharing.bootstrap", *options],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise Trouble(f"The first administrator could not be made: {said[0]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
