"""What a witness makes of a checkpoint: it goes on with what it has seen, or the log is not one history.

same      nothing new
grown     the new tree begins with the old one: the proof says so
behind    older than what was seen, and a beginning of it: a slow copy, unless it stays so
Alarm     two roots of one size; a tree that does not begin with what was seen; a key that was replaced
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from deploy.witness.notes import Checkpoint, LogKey, Wrong
from deploy.witness.proofs import extends

Found = Literal["same", "grown", "behind"]
Proof = Callable[[int, int], Sequence[bytes]]


class Alarm(Exception):
    """The log has shown two histories, or gone back. `code` is a word for logs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Seen:
    """A checkpoint that was found right. `key`: the place, in the list of the log's keys, of the newest that
    signed it."""

    note: str
    checkpoint: Checkpoint
    key: int

    @property
    def text(self) -> str:
        return self.note.rpartition("\n\n")[0] + "\n"

    @property
    def tree(self) -> tuple[int, bytes]:
        return self.checkpoint.size, self.checkpoint.root


def opened(note: str, keys: Sequence[LogKey]) -> Seen:
    """A note that one of the log's keys has signed (the oldest key first). Raises Wrong."""
    problem = Wrong("there is no key")
    for place in range(len(keys) - 1, -1, -1):
        try:
            return Seen(note, keys[place].open(note), place)
        except Wrong as found:
            problem = found
    raise problem


def judge(before: Seen | None, now: Seen, proof: Proof) -> Found:
    """`proof(from, to)` asks for a consistency proof. Raises Alarm."""
    if before is None:
        return "grown"
    if now.key < before.key:
        raise Alarm("old_key", "the checkpoint is signed with a key that had been replaced")
    (old, old_root), (new, new_root) = before.tree, now.tree
    if old == new:
        if old_root != new_root:
            raise Alarm("fork", f"the log has signed two roots of {old} entries")
        return "same"
    if new > old:
        if not extends(before.tree, now.tree, proof(old, new)):
            raise Alarm(
                "fork", f"the tree of {new} entries does not begin with the one of {old} that was seen"
            )
        return "grown"
    if not extends(now.tree, before.tree, proof(new, old)):
        raise Alarm("fork", f"the tree of {new} entries is not a beginning of the one of {old} that was seen")
    return "behind"
