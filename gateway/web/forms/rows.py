"""Forms with a part that repeats: how many times so far. Another one comes by a button, without scripts."""

from __future__ import annotations

from gateway.web.forms.form import Typed


def count_rows(typed: Typed | None) -> int:
    given = (typed or {}).get("rows", ["1"])[-1]
    return max(1, min(int(given), 150)) if given.isdigit() and len(given) < 4 else 1
