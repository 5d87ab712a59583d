"""The words under which an entry is found, and how a question is turned into them.

    p:<id>  by that principal          q:<id>  that person is accountable for
    a:<id>  by somebody of that agency d:<id>  by, or about data of, that agency
    c:<id>  about that case            s:<id>  about that subject
    x:<action>                         o:<outcome>

Those of principals and agencies also stand with `|action`; they and actions also with `|refused`. One index
over all of them, with the time, answers every combination: it is entered with the word that fewest entries
have, and the others are looked at in what it finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from services.contracts.audit import ListEntries
from services.contracts.records import Record

AnyOf = tuple[str, ...]
_PEOPLE = ("p:", "q:")


def words(record: Record) -> list[str]:
    """Under what an entry is found, each once."""
    return list(dict.fromkeys(_words(record)))


def _words(record: Record) -> Iterator[str]:
    actor, agencies = record.actor, concerned(record)
    broad = [f"p:{actor.id}", f"a:{actor.agency_id}", *(f"d:{agency}" for agency in agencies)]
    if actor.accountable_id is not None:
        broad.append(f"q:{actor.accountable_id}")
    for word in broad:
        yield word
        yield f"{word}|{record.action}"
        if record.outcome == "refused":
            yield f"{word}|refused"
    for item in record.objects:
        if item.type == "case":
            yield f"c:{item.id}"
        elif item.type == "subject":
            yield f"s:{item.id}"
    yield f"x:{record.action}"
    if record.outcome == "refused":
        yield f"x:{record.action}|refused"
    yield f"o:{record.outcome}"


def concerned(record: Record) -> list[str]:
    """The agencies whose people or data an entry is about."""
    owners = (item.agency_id for item in record.objects if item.agency_id)
    return list(dict.fromkeys((record.actor.agency_id, *owners)))


@dataclass(frozen=True, slots=True)
class Search:
    """Entries that have one word of each of `each`, made in [since, until).

    `each[0]` is what few entries have: the index is entered with it. Without any, all entries are meant.
    """

    each: tuple[AnyOf, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    looks: bool = False
    """Only entries of something shown, or refused to be shown."""
    but: tuple[int, ...] = ()
    """Without these, which are known already: indexes."""


def alternatives(search: Search) -> list[Search]:
    """Searches that together find the same: in each, a later condition is about actors or about who is
    accountable, and never about either, which no index can judge."""
    found = [search]
    for place in range(1, len(search.each)):
        kinds = sorted({word[:2] for word in search.each[place]})
        if kinds == sorted(_PEOPLE):
            found = [
                replace(
                    one,
                    each=(
                        *one.each[:place],
                        tuple(word for word in one.each[place] if word.startswith(kind)),
                        *one.each[place + 1 :],
                    ),
                )
                for one in found
                for kind in kinds
            ]
    return found


def search(request: ListEntries, within: AnyOf = ()) -> Search:
    """`within`: the words of which an entry has one if the caller may see it; none: it may see all."""
    if request.actor_id is not None and any(word.startswith("q:") for word in within):
        # Whoever acted is one of them, or somebody for whom one of them is accountable.
        implied = f"p:{request.actor_id}" in within
        within = () if implied else tuple(word for word in within if word.startswith("q:"))
    narrow: list[AnyOf] = []
    if request.case_id is not None:
        narrow.append((f"c:{request.case_id}",))
    if request.subject_id is not None:
        narrow.append((f"s:{request.subject_id}",))
    broad: list[AnyOf] = []
    if request.actor_id is not None:
        broad.append((f"p:{request.actor_id}",))
    if within:
        broad.append(within)
    if request.agency_id is not None:
        broad.append((f"a:{request.agency_id}",))
    rest: list[AnyOf] = []
    if request.outcome == "refused" and request.action is not None:
        rest.append((f"x:{request.action}|refused",))
    if request.outcome is not None:
        rest.append((f"o:{request.outcome}",))
    if request.action is not None:
        rest.append((f"x:{request.action}",))
    # The commonest words are entered by themselves only if there is nothing better; outcomes other than a
    # refusal come last of all.
    if request.outcome != "refused":
        rest.reverse()
    return Search((*narrow, *_joined(broad, request, bool(narrow)), *rest), request.since, request.until)


def _joined(broad: list[AnyOf], request: ListEntries, narrowed: bool) -> list[AnyOf]:
    """The first of the broad words together with the outcome or action, when the index is entered with it."""
    if narrowed or not broad:
        return broad
    if request.outcome == "refused":
        suffix = "refused"
    elif request.action is not None:
        suffix = request.action
    else:
        return broad
    return [tuple(f"{word}|{suffix}" for word in broad[0]), *broad[1:]]
