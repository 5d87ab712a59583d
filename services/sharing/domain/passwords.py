"""What makes a password good enough: long, not common, not the user's own name (NIST SP 800-63B, 5.1.1.2)."""

from __future__ import annotations

import gzip
import re
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

from services.contracts.errors import FieldError, Invalid

SHORTEST = 12
FEWEST_SIGNS = 5
_LIST = Path(__file__).parent.parent / "data" / "common_passwords.txt.gz"
_TRIMMINGS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
# A word that is too short to be the whole secret behind a few digits.
_SHORTEST_STEM = 4


def normal(password: str) -> str:
    """As it is hashed: the same however it was typed (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def fault(password: str, username: str) -> str | None:
    """The code of what is wrong with it: too_short, contains_username, too_common; None: nothing."""
    plain = normal(password).casefold()
    if len(plain) < SHORTEST:
        return "too_short"
    if _holds_name(plain, username.casefold()):
        return "contains_username"
    return "too_common" if _common(plain) else None


def check(password: str, username: str, pointer: str) -> None:
    """Raises Invalid, pointing to `pointer`."""
    code = fault(password, username)
    if code is not None:
        raise Invalid(errors=(FieldError(pointer, code, _TEXTS[code]),))


def _holds_name(plain: str, username: str) -> bool:
    names = {username, username.partition("@")[0]}
    return any(len(name) >= _SHORTEST_STEM and name in plain for name in names)


def _common(plain: str) -> bool:
    """In the list; or one of it repeated, or with digits and signs around it; or hardly a text."""
    stem = _TRIMMINGS.sub("", plain)
    if plain in common() or len(set(plain)) < FEWEST_SIGNS:
        return True
    if not stem or (len(stem) < SHORTEST and stem in common()):
        # Digits and signs alone, or around a common word.
        return bool(stem) or _in_sequence(plain)
    return _repeats(plain) or _repeats(stem)


def _repeats(text: str) -> bool:
    """passwordpassword and the like."""
    sizes = (size for size in range(_SHORTEST_STEM, len(text) // 2 + 1) if len(text) % size == 0)
    return any(text == text[:size] * (len(text) // size) and text[:size] in common() for size in sizes)


def _in_sequence(plain: str) -> bool:
    """123456789012 and the like."""
    steps = {(ord(after) - ord(before)) % 10 for before, after in pairwise(plain)}
    return len(steps) == 1


@cache
def common() -> frozenset[str]:
    """The list, read once; `data/README.md` says where it is from."""
    with gzip.open(_LIST, "rt", encoding="utf-8") as lines:
        return frozenset(line.strip() for line in lines)


_TEXTS = {
    "too_short": f"It needs at least {SHORTEST} characters.",
    "contains_username": "It must not contain the user name.",
    "too_common": "It is too easy to guess.",
}
