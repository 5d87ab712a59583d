"""Every user x case x section x action of random worlds, decided twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from services.contracts.bars import About
from services.contracts.permissions.actions import ACTIONS
from services.sharing.domain.explaining import Asked, explain
from tests.checks.access import naive
from tests.checks.access.naive import ALL_SECTIONS, LADDER, World
from tests.checks.access.planted import FAULTS, planted
from tests.checks.access.product import PERMITS, Product, product
from tests.checks.access.worlds import world

SECTIONS: tuple[str | None, ...] = (None, *ALL_SECTIONS)
KINDS = ("read", "write", "task", "owner")
EXPLAINED = 30
"""Questions "why" of each world: each of them evaluates every step."""
WORLDS_FOR_A_FAULT = 60


@dataclass
class Compared:
    """`told`: how often each answer was right."""

    cells: int = 0
    mismatches: int = 0
    explained: int = 0
    explained_wrong: int = 0
    lists: int = 0
    lists_wrong: int = 0
    told: dict[str, int] = field(default_factory=dict)
    first: str | None = None

    def note(self, what: str) -> None:
        self.first = self.first or what


def cells(made: World, by: Product) -> Iterator[tuple[str, str, str]]:
    """What is asked, what the product says, what the second evaluator says."""
    for who in by.callers:
        for number, case in enumerate(made["cases"]):
            for section in SECTIONS:
                for least in LADDER:
                    # The kind turns with the rest, so that each meets every level and section.
                    kind = KINDS[(number + LADDER.index(least) + SECTIONS.index(section)) % len(KINDS)]
                    asked = f"{who} {case['id']} {section} {least} {kind}"
                    ours = by.verdict(who, number, section, least, kind)
                    yield asked, ours, naive.verdict(made, who, case, section, least, kind)
            if by.known[who].because is None:
                seen = naive.entries_seen(made, who, case)
                yield f"{who} {case['id']} entries", str(by.entries_seen(who, number)), str(seen)
                side = naive.on_perpetrators_side(made, who, case)
                yield f"{who} {case['id']} side", str(by.on_perpetrators_side(who, number)), str(side)


def compare(seed: int, into: Compared) -> None:
    dice = Random(seed)
    made = world(dice)
    by = product(made)
    for asked, ours, theirs in cells(made, by):
        into.cells += 1
        into.told[theirs] = into.told.get(theirs, 0) + 1
        if ours != theirs:
            into.mismatches += 1
            into.note(f"world {seed}: {asked}: {ours}, and by the paper {theirs}")
    explanations(seed, made, by, dice, into)
    for number, case in enumerate(made["cases"]):
        into.lists += 1
        right = {who for who in by.callers if naive.opens(made, who, case)}
        if by.listed_open(number) != right:
            into.lists_wrong += 1
            into.note(f"world {seed}: access of {case['id']}: {by.listed_open(number)}, by the paper {right}")


def explanations(seed: int, made: World, by: Product, dice: Random, into: Compared) -> None:
    """`explain` allows what the second evaluator allows wherever somebody is and whatever it holds, and every
    no has a step that does not hold."""
    near = {**made, "away": {}}
    for _ in range(EXPLAINED):
        who, number = dice.choice(list(by.callers)), dice.randrange(len(made["cases"]))
        action = dice.choice(list(ACTIONS))
        permit, section = ACTIONS[action]
        kind = next(
            (
                name
                for name, levels in PERMITS.items()
                if levels["know"].roles == permit.roles and levels["know"].scopes == permit.scopes
            ),
            None,
        )
        if kind is None:
            continue
        case = made["cases"][number]
        about = About(case["use"], case["marking"])
        asked = Asked(
            action, by.known[who], by.ownerships[number], about, by.today, tuple(made["needs_training"])
        )
        told = explain(asked)
        right = naive.verdict(near, who, case, section, permit.level or "know", kind) == "allowed"
        into.explained += 1
        if told.allowed != right or told.allowed != all(step.holds is not False for step in told.steps):
            into.explained_wrong += 1
            into.note(
                f"world {seed}: explain {who} {case['id']} {action}: {told.allowed}, by the paper {right}"
            )


def run(worlds: int, first: int = 0) -> Compared:
    found = Compared()
    for seed in range(first, first + worlds):
        compare(seed, found)
    return found


def not_found() -> list[str]:
    """The planted faults that the comparison does not find."""
    missed = []
    for name in FAULTS:
        with planted(name):
            if not any(ours != theirs for seed in range(WORLDS_FOR_A_FAULT) for _, ours, theirs in _of(seed)):
                missed.append(name)
    return missed


def _of(seed: int) -> Iterator[tuple[str, str, str]]:
    made = world(Random(seed))
    yield from cells(made, product(made))
