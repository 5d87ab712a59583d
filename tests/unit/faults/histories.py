"""Histories in which everything went well, to be spoilt by tests."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from tests.faults.history import Applied, Change, Emitted, Exchange, History


def clean(commands: int = 6, notes: int = 2) -> History:
    """`commands` on `notes` in turn; each third was first answered with 503 or not at all."""
    return _of([number % notes for number in range(commands)], {n for n in range(commands) if n % 3 == 0})


@st.composite
def clean_histories(draw: st.DrawFn) -> History:
    """Any number of notes and commands, in any order, some told twice; reads between them."""
    targets = draw(st.lists(st.integers(0, 3), min_size=1, max_size=30))
    retried = draw(st.sets(st.integers(0, len(targets) - 1)))
    history = _of(targets, retried)
    sayings = draw(st.lists(st.sampled_from(["say", "get", "mirror"]), max_size=5))
    reads = tuple(
        Exchange(9, kind, 50.0 + n, 50.1 + n, 200, "n0", version=1, applied=1)
        for n, kind in enumerate(sayings)
    )
    order = draw(st.permutations(history.changes))
    return replace(history, exchanges=history.exchanges + reads, changes=tuple(order))


def _of(targets: list[int], retried: set[int]) -> History:
    exchanges: list[Exchange] = []
    changes: list[Change] = []
    versions: dict[str, int] = {}
    for number, target in enumerate(targets):
        note, key, began = f"n{target}", f"key-{number}", float(number)
        versions[note] = versions.get(note, 0) + 1
        if number in retried:
            status = 0 if number % 5 == 0 else 503
            exchanges.append(Exchange(target, "change", began, began + 0.1, status, note, key))
        exchanges.append(
            Exchange(target, "change", began + 0.2, began + 0.3, 201, note, key, version=versions[note])
        )
        changes.append(Change(note, versions[note], key))
    return History(
        tuple(exchanges),
        tuple(changes),
        tuple(versions.items()),
        tuple(Emitted(change.note, change.version, f"e-{change.key}", True) for change in changes),
        tuple(Applied(change.note, change.version, f"e-{change.key}", change.version) for change in changes),
    )
