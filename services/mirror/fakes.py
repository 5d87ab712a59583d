"""The mirror store's double, in memory."""

from __future__ import annotations

from collections import defaultdict

from services.mirror.domain import Followed


class FakeMirrorStore:
    """Behaves as `store.MirrorStore` does; knows no transactions, so a session is ignored."""

    def __init__(self) -> None:
        self._mirrored: dict[str, Followed] = {}
        self._applied: dict[str, list[int]] = defaultdict(list)

    def follow(self, note_id: str, number: int, event_id: str, session: object) -> None:
        self._mirrored[note_id] = self.load(note_id).after(number)
        self._applied[note_id].append(number)

    def load(self, note_id: str) -> Followed:
        return self._mirrored.get(note_id, Followed())

    def applied(self, note_id: str) -> list[int]:
        return list(self._applied[note_id])
