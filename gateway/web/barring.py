"""What stands against somebody by themselves, and what they can do about it: the page says both."""

from __future__ import annotations

from dataclasses import replace

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.visit import Body
from services.contracts.errors import (
    ConcordatError,
    DeviceNotPermitted,
    NetworkNotPermitted,
    StepUpRequired,
    TrainingRequired,
)

CODES = (TrainingRequired, NetworkNotPermitted, DeviceNotPermitted, StepUpRequired)
CODE = (
    Field("code", "Code from your authenticator app", width=10, autocomplete="one-time-code", limit=10,
          missing="Enter the code that the app shows now", hint="Six digits"),
)  # fmt: skip
"""What is asked where a fresh code helps."""
WITH_PASSKEY = tuple(replace(field, missing=None) for field in CODE)
"""The same where a passkey has answered instead."""


def told(problem: ConcordatError, target: str) -> Body:
    """For `errors/barred.html`; `target` is where one wanted to go."""
    return {"code": problem.public_code, "clause": problem.clause, "next": target, "code_form": Form(CODE)}
