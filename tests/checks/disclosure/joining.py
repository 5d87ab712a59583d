"""Joins what clients received with what the log says. Pure.

For each answer with case data: the entry that its `Consultation` names is in the log once, says that it was
shown, and names the thing that was asked for and whatever stood in the answer, with its section, at a version
at which that stood there. A page of the web client may be made of several replies, each with an entry; its
header names one of them; so may a statement. Refusals are in the log, too.

What a case says of itself is read with its version: neither older nor newer. Entries, tasks and subjects are
documents of their own, read before the case: they are never newer than the version that the entry names.

A query has one entry of an action, but where a log tells that a call was attempted again or that a command
was delivered again: then each run has its own (docs/decisions/0003). So has each run of a command's
transaction (docs/main-job.md): there only a repeated id is a double.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.checks.disclosure.canaries import Canary

SHOWN = frozenset({200, 201, 304})


@dataclass(frozen=True, slots=True)
class Received:
    """One answer, whole or in part, with the canaries in it. `entry_id` is its `Consultation` header, `about`
    the thing in its path, `names` the things that it tells of. A 304 stands for what the client has already.
    `began` is on the monotonic clock."""

    request_id: str
    status: int
    seconds: float
    entry_id: str | None
    whole: bool
    words: tuple[str, ...]
    channel: str = ""
    about: str | None = None
    page: bool = False
    names: tuple[str, ...] = ()
    began: float = 0.0

    @property
    def discloses(self) -> bool:
        return bool(self.words or self.names) or (self.about is not None and self.status in SHOWN)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a webhook's receiver got under one delivery, so many times: an event about a case."""

    delivery_id: str
    times: int
    case_id: str


@dataclass(frozen=True, slots=True)
class Named:
    """A thing in an entry."""

    sections: frozenset[str] = frozenset()
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry of the log: what it names, by id."""

    id: str
    request_id: str
    action: str
    outcome: str
    named: Mapping[str, Named]
    at: str = ""


@dataclass(frozen=True, slots=True)
class Wrote:
    """A change of one field of a thing, in the order of the changes: the word that stands there from then on,
    and the entry of the change, which names the version. None: not answered, so nobody knows whether it was
    made."""

    thing: str
    field: str
    word: str
    entry_id: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """From which version of a thing a word stood in it, and from which no more."""

    thing: str
    first: int | None
    after: int | None = None


@dataclass
class Joined:
    """Each list has lines for a person, without personal data."""

    disclosures: int = 0
    refusals: int = 0
    lost: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By channel, what is not in the log: entries that were told of, requests that were refused."""
    channels: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return len(self.missing) + len(self.doubled) + len(self.mismatched)


def logged(detail: Mapping[str, Any]) -> Logged:
    """An entry from the `detail` of an export line."""
    sections: dict[str, set[str]] = defaultdict(set)
    versions: dict[str, int | None] = {}
    for one in detail.get("objects", ()):
        sections[one["id"]].update(one.get("sections") or ())
        versions[one["id"]] = one.get("version") or versions.get(one["id"])
    named = {key: Named(frozenset(found), versions[key]) for key, found in sections.items()}
    told = (detail["id"], detail["request_id"], detail["action"], detail["outcome"])
    return Logged(*told, named, detail["at"])


def spans(writes: Iterable[Wrote], entries: Iterable[Logged]) -> dict[str, Span]:
    """By word, as far as the log tells."""
    by_id = {entry.id: entry for entry in entries}
    chains: dict[tuple[str, str], list[Wrote]] = defaultdict(list)
    for write in writes:
        chains[write.thing, write.field].append(write)
    found = {}
    for chain in chains.values():
        versions = [_version(write, by_id) for write in chain]
        for write, first, after in zip(chain, versions, [*versions[1:], None], strict=True):
            found[write.word] = Span(write.thing, first, after)
    return found


def _version(write: Wrote, by_id: Mapping[str, Logged]) -> int | None:
    entry = by_id.get(write.entry_id or "")
    return None if entry is None else entry.named.get(write.thing, Named()).version


def join(
    received: Iterable[Received],
    entries: Iterable[Logged],
    canary: Callable[[str], Canary],
    stood: Mapping[str, Span],
    again: Collection[str] = (),
) -> Joined:
    """`canary` says where a word belongs, `stood` when it was there. `again`: the requests of which something
    ran more than once, each run with an entry of its own."""
    by_id: dict[str, list[Logged]] = defaultdict(list)
    by_request: dict[str, list[Logged]] = defaultdict(list)
    for entry in entries:
        by_id[entry.id].append(entry)
        by_request[entry.request_id].append(entry)
    joined = Joined()
    for answer in received:
        own = by_request.get(answer.request_id, [])
        if answer.discloses:
            joined.disclosures += 1
            joined.channels[answer.channel] += 1
            told = [*by_id.get(answer.entry_id or "", ())]
            _judge(answer, told, own, [canary(word) for word in answer.words], stood, joined)
        elif answer.whole and answer.about is not None and answer.status in {403, 404}:
            joined.refusals += 1
            if not any(entry.outcome == "refused" for entry in own):
                joined.missing.append(f"{answer.channel}: a refusal without entry")
                joined.lost[answer.channel].add(answer.request_id)
        if answer.whole and answer.request_id not in again:
            _count(answer, own, joined)
    return joined


def join_pushes(pushes: Iterable[Pushed], entries: Iterable[Logged], joined: Joined) -> None:
    """A push names no entry, so they are counted: one entry for each at least, as a push may be recorded and
    then not be made. Adds to `joined`."""
    by_delivery: dict[str, list[Logged]] = defaultdict(list)
    for entry in entries:
        if entry.action == "event.deliver":
            by_delivery[entry.request_id].append(entry)
    for push in pushes:
        joined.disclosures += push.times
        joined.channels["webhook"] += push.times
        own = by_delivery[push.delivery_id]
        joined.missing += ["webhook: no entry"] * (push.times - len(own))
        if len({entry.id for entry in own}) < len(own):
            joined.doubled.append("webhook: several entries of one id")
        if any(push.case_id not in entry.named for entry in own):
            joined.mismatched.append("webhook: the entry does not name the case")


def _of(entry: Logged, answer: Received) -> bool:
    """An export or a stream asks page by page, under its own request's id and a number."""
    return f"{entry.request_id}-".startswith(f"{answer.request_id}-")


def _count(answer: Received, own: Sequence[Logged], joined: Joined) -> None:
    for action, number in Counter(entry.action for entry in own if entry.outcome == "shown").items():
        if number > 1 and not (answer.page and action == "log.read"):  # an entry and its proof; pieces
            at = ", ".join(entry.at for entry in own if entry.action == action)
            joined.doubled.append(
                f"{answer.channel}: {number} entries {action} for one attempt: {answer.request_id}, at {at}"
            )


def _judge(
    answer: Received,
    told: Sequence[Logged],
    own: Sequence[Logged],
    canaries: Sequence[Canary],
    stood: Mapping[str, Span],
    joined: Joined,
) -> None:
    if not told:
        joined.missing.append(f"{answer.channel}: {'no entry' if answer.entry_id else 'no Consultation'}")
        if answer.entry_id:
            joined.lost[answer.channel].add(answer.entry_id)
        return
    if len(told) > 1:
        joined.doubled.append(f"{answer.channel}: {len(told)} entries of one id")
    entry = told[0]
    if not _of(entry, answer):
        joined.mismatched.append(f"{answer.channel}: the entry is of another request")
    if entry.outcome not in {"shown", "done"}:
        joined.mismatched.append(f"{answer.channel}: shown, and logged as {entry.outcome}")
    among = [one for one in own if one.outcome in {"shown", "done"}] if answer.page else [entry]
    if answer.about is not None and not any(answer.about in one.named for one in among):
        joined.mismatched.append(f"{answer.channel}: the entry does not name what was asked for")
    unnamed = [name for name in answer.names if not any(name in one.named for one in among)]
    if unnamed:
        joined.mismatched.append(f"{answer.channel}: the entry does not name {len(unnamed)} of what was told")
    for canary in canaries:
        wrong = _wrong(canary, among, stood.get(canary.word))
        if wrong:
            joined.mismatched.append(f"{answer.channel}: {canary.kind}: {wrong}")


def _wrong(canary: Canary, among: Sequence[Logged], span: Span | None) -> str | None:
    if not canary.homes:
        return None  # What it was written into was never told: its entry is all that can be asked for.
    at_home = [
        one.named[thing]
        for one in among
        for thing, section in canary.homes
        if thing in one.named and (section is None or section in one.named[thing].sections)
    ]
    if not at_home:
        return "the entry does not name where it stands"
    if span is None:
        return None
    versions = [one.named[span.thing].version for one in among if span.thing in one.named]
    known = [version for version in versions if version is not None]
    if known and not any(_within(version, span) for version in known):
        return "the entry names another version"
    return None


def _within(version: int, span: Span) -> bool:
    return (span.first is None or version >= span.first) and (span.after is None or version < span.after)
