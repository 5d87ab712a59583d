"""What a browser's script has put into a form: the answer of a passkey (`static/passkey.js`)."""

from __future__ import annotations

import json
from typing import Any

from gateway.web.forms.form import Form

NAME = "passkey"
NOT_RIGHT = "This passkey could not be checked. Try again, or enter a code"


def answer_in(form: Form) -> dict[str, Any] | None:
    """None: there is none. What is no answer at all is refused by the request's model, whatever it is."""
    text = form.raw(NAME)
    if not text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
