"""What a subject is called, and the words under which it is found. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from services.contracts.cases.subjects import AnyBody, FamilyBody, PersonBody, PlaceBody, PremisesBody

LABEL_LIMIT = 120
MOST_WORDS = 100
"""Words kept of one subject: an address and twenty names fit."""
MOST_IN_TEXT = 500
MOST_ASKED = 8
_LONGEST, _SHORTEST = 40, 2
_WORD = re.compile(r"[^\W_]+")


def label_of(body: AnyBody) -> str:
    """The legal name, or the first there is; the family's or place's name; the address on one line."""
    match body:
        case PersonBody():
            name = next((one for one in body.names if one.type == "legal"), body.names[0])
            label = f"{name.given} {name.family}".strip()
        case FamilyBody() | PlaceBody():
            label = body.name
        case PremisesBody():
            label = ", ".join((*body.address.lines, body.address.postcode))
    return label if len(label) <= LABEL_LIMIT else label[: LABEL_LIMIT - 1] + "…"


def words_of(body: AnyBody) -> list[str]:
    """Every word of names, address, postcode and identifiers, once, folded; joined ones whole as well."""
    found: dict[str, None] = {}
    for text in _texts(body):
        # "O'Neill" is found as it is said and as it is written; "TS1 1AA" with and without its space.
        for word in (*_split(text), "".join(_split(text))):
            if word:
                found[word[:_LONGEST]] = None
    return list(found)[:MOST_WORDS]


def words_in(*texts: str) -> list[str]:
    """Every word of running text, once, folded."""
    return list(dict.fromkeys(word[:_LONGEST] for text in texts for word in _split(text)))[:MOST_IN_TEXT]


def words_asked(text: str) -> list[str]:
    """The words of a search, folded, the longest first: the rarer ones, by which the index is entered.

    Single letters find too much: they count only when there is nothing longer, and then nothing is found.
    """
    words = {word[:_LONGEST] for word in _split(text) if len(word) >= _SHORTEST}
    return sorted(words, key=lambda word: (-len(word), word))[:MOST_ASKED]


def _texts(body: AnyBody) -> Iterator[str]:
    match body:
        case PersonBody():
            for name in body.names:
                yield from (*name.given.split(), *name.family.split())
            yield from (identifier.value for identifier in body.identifiers)
        case FamilyBody() | PlaceBody():
            yield from body.name.split()
        case PremisesBody():
            for line in body.address.lines:
                yield from line.split()
            yield body.address.postcode
            if body.uprn:
                yield body.uprn
    if body.external_ref:
        yield body.external_ref.id


def _split(text: str) -> list[str]:
    return _WORD.findall(_folded(text))


def _folded(text: str) -> str:
    """Without case and accents: people are searched for by ear."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
