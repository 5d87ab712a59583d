"""Whether somebody looks for their own name: said in the log, so that it can be looked at. Pure.

What was typed is never in the log; this alone is: the search held the whole own name, or the own family name
and nothing that is not of the own name.
"""

from __future__ import annotations

from collections.abc import Collection

from services.cases.domain.labels import words_asked, words_in
from services.contracts.caller import Caller
from services.contracts.records import Object

FLAG = Object(type="flag", id="own_name")


def flags(caller: Caller, words: Collection[str]) -> list[Object]:
    """What a search for `words` (folded) has to say of itself in the log."""
    return [FLAG] if caller.kind == "user" and caller.name and is_own(caller.name, words) else []


def is_own(name: str, words: Collection[str]) -> bool:
    own = words_asked(name)
    family = [word for word in words_in(name) if word in own]
    if not family:
        return False
    asked = set(words)
    return set(own) <= asked or (family[-1] in asked and asked <= set(own))
