"""References: what people read out to each other on the telephone."""

from __future__ import annotations

import re
import secrets

_SIGNS = "23456789BCDFGHJKMNPQRTVWXY"
"""None that is taken for another, and no vowel, so that no word comes of it."""
_FORM = re.compile(rf"C[{_SIGNS}]{{8}}")


def new_reference() -> str:
    """`C-4KX7-29BT`: one of 2 * 10^11, drawn, so that it tells nothing of how many cases there are."""
    drawn = "".join(secrets.choice(_SIGNS) for _ in range(8))
    return f"C-{drawn[:4]}-{drawn[4:]}"


def reference_in(text: str) -> str | None:
    """The reference that `text` is, however it was typed; None if it is none."""
    plain = re.sub(r"[\s-]", "", text).upper()
    return f"C-{plain[1:5]}-{plain[5:]}" if _FORM.fullmatch(plain) else None
