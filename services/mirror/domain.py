"""How far the changes of notes, which another service keeps, have been followed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Followed:
    """What is known of a note: the highest version heard of, and how many changes were applied."""

    version: int = 0
    applied: int = 0

    def after(self, number: int) -> Followed:
        """One more change, the `number`th of the note. A late one does not bring an old version back."""
        return Followed(max(self.version, number), self.applied + 1)
