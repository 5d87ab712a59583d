"""What names are found by: words without case and accents."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
MOST = 12


def key_of(text: str) -> str:
    """For comparing and sorting: without case, accents and outer space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one)).strip()


def words_of(text: str) -> list[str]:
    """The words of a name, each once; a search asks for the beginning of some."""
    return list(dict.fromkeys(_WORD.findall(key_of(text))))[:MOST]
