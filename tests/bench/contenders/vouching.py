"""Signs the caller of our calls in place of `sharing`, before the clock runs: it is sharing's cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.chassis.callers import AUTHORITY, PURPOSE
from services.chassis.payload import raw
from services.chassis.sealing import Keyring
from services.contracts.caller import Caller, SignedCaller, hash_arguments, sign
from services.contracts.echo import Say

VALID = timedelta(minutes=10)
REQUEST_ID = "01J9Z3K4M5N6P7Q8R9S0T1V2W8"
"""The same for all: a caller is for one request, and making one is not what is measured."""


class Authority:
    """`sharing`, as far as the echo service can tell."""

    def __init__(self, keys_dir: Path) -> None:
        self._secret = Keyring(keys_dir, AUTHORITY).shared_secrets("echo", PURPOSE)[0]

    def vouch(self, request: Say) -> SignedCaller:
        """A signed caller of ordinary size for calls of `echo.say` with this request."""
        now = datetime.now(UTC)
        caller = Caller(
            kind="user",
            id="usr_01J9Z3K4M5N6P7Q8R9S0T1V2W3",
            agency_id="agy_01J9Z3K4M5N6P7Q8R9S0T1V2W4",
            team_ids=("team_01J9Z3K4M5N6P7Q8R9S0T1V2W5", "team_01J9Z3K4M5N6P7Q8R9S0T1V2W6"),
            roles=("practitioner",),
            uses=("safeguarding", "review"),
            device_class="managed",
            procedure_version="3",
            fences={"case_01J9Z3K4M5N6P7Q8R9S0T1V2W7": 4},
            audience="echo",
            method="say",
            args_hash=hash_arguments(bytes(raw(request))),
            request_id=REQUEST_ID,
            now=now,
            expires_at=now + VALID,
        )
        return sign(caller, self._secret)
