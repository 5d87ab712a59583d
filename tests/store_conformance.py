"""What every store promises: run over the real one and its fake, so that tests with the fake mean something.

A subclass gives `store`, and `write`, which runs an operation that needs a session.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from services.contracts.errors import NotVisible
from services.echo.domain import Change, Note
from services.mirror.domain import Followed

Write = Callable[[Callable[[Any], Any]], Any]


def new_id() -> str:
    return uuid.uuid4().hex


class NoteStoreConformance:
    """What a store of notes promises."""

    def test_a_note_never_written_is_not_visible(self, store: Any) -> None:
        with pytest.raises(NotVisible):
            store.load(new_id())

    def test_the_first_change_makes_the_note_at_version_one(self, store: Any, write: Write) -> None:
        note = new_id()
        assert write(lambda session: store.change(note, "first", "key", session)) == 1
        assert store.load(note) == Note(note, "first", 1)

    def test_each_change_takes_the_next_version(self, store: Any, write: Write) -> None:
        note = new_id()
        versions = [
            write(lambda session, n=n: store.change(note, str(n), f"key {n}", session)) for n in range(3)
        ]
        assert versions == [1, 2, 3]
        assert store.load(note) == Note(note, "2", 3)

    def test_every_change_is_kept_with_its_key(self, store: Any, write: Write) -> None:
        note = new_id()
        for key in ("a", "b"):
            write(lambda session, key=key: store.change(note, "text", key, session))
        assert store.changes(note) == [Change(1, "a"), Change(2, "b")]

    def test_notes_do_not_touch_each_other(self, store: Any, write: Write) -> None:
        one, other = new_id(), new_id()
        write(lambda session: store.change(one, "one", "key", session))
        assert store.changes(other) == []
        assert write(lambda session: store.change(other, "other", "key", session)) == 1
        assert store.load(one) == Note(one, "one", 1)


class MirrorStoreConformance:
    """What a store of followed notes promises."""

    def test_a_note_never_heard_of_is_at_version_zero(self, store: Any) -> None:
        assert store.load(new_id()) == Followed(0, 0)
        assert store.applied(new_id()) == []

    def test_following_counts_and_keeps_the_version(self, store: Any, write: Write) -> None:
        note = new_id()
        for number in (1, 2):
            write(lambda session, number=number: store.follow(note, number, new_id(), session))
        assert store.load(note) == Followed(version=2, applied=2)

    def test_a_late_change_counts_but_brings_no_old_version_back(self, store: Any, write: Write) -> None:
        note = new_id()
        for number in (1, 3, 2):
            write(lambda session, number=number: store.follow(note, number, new_id(), session))
        assert store.load(note) == Followed(version=3, applied=3)
        assert store.applied(note) == [1, 3, 2]

    def test_what_is_applied_twice_is_seen_twice(self, store: Any, write: Write) -> None:
        note, event = new_id(), new_id()
        for _ in range(2):
            write(lambda session: store.follow(note, 1, event, session))
        assert store.applied(note) == [1, 1]
