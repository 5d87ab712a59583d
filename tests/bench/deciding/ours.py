"""The product's own rule, as every channel asks it: with the bars looked at, and all of its reasons."""

from __future__ import annotations

from services.contracts.access import Standing, decide
from services.contracts.bars import About
from tests.bench.deciding.asked import PERMITS, Question, World

ABOUT = About("complex_asb", "official")


class Ours:
    name = "ours"

    def __init__(self, world: World) -> None:
        self._acl = world.acl

    def prepare(self, question: Question) -> Question:
        return question

    def decide(self, prepared: Question) -> tuple[bool, object]:
        decision = decide(prepared.caller, self._acl, PERMITS[prepared.least], about=ABOUT)
        refusal = decision.refusal
        return (True, decision.standing) if refusal is None else (False, refusal.code)

    def shares_behind(self, reason: object) -> set[str]:
        assert isinstance(reason, Standing)
        return {reason.share_id or "owner"}
