"""One node, and its broker's disk is lost while it holds records: they are gone, and `audit` says so.

What the broker had confirmed and `audit` not yet taken cannot be in the log (docs/decisions/0007, 0013). But
every number that does not arrive is alarmed, so nothing is missing unnoticed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpx

from deploy.launcher.cell import Cell
from gateway.operations import Operation
from gateway.routes import PREFIX, ROUTES
from tests.breaking import lose_disk, running
from tests.checks.disclosure.scene import Came, Scene
from tests.checks.disclosure.watching import CHANNEL as STREAM
from tests.checks.trouble import Trouble
from tests.waiting import until

HELD, AFTERWARDS = 300, 500
"""Disclosures whose records the broker holds when its disk is lost; disclosures once it is back."""
HELD_SECONDS = 90.0
NOTICED_SECONDS = 120.0
"""A process says within 30 s how far it is; 30 s later what is missing is alarmed."""
_MISSING = re.compile(r'^concordat_records_missing_total\{service="(\w+)"\} (\S+)$', re.MULTILINE)
_SPECIAL = {"POST /searches": "cases", "POST /cases/{id}/shares/preview": "cases", STREAM: "notify"}
_ANY = "any"


@dataclass(frozen=True)
class Lost:
    """`gone`: disclosures and refusals without an entry, by the service that recorded them. `alarmed`:
    numbers that `audit` told of as missing, by service. `after`: the part that was played afterwards."""

    disclosures: int
    gone: Counter[str]
    alarmed: Counter[str]
    after: Came

    @property
    def unnoticed(self) -> int:
        """What is gone and no alarm covers."""
        return uncovered(self.gone, self.alarmed)


def lose(scene: Scene, longest: float) -> Lost:
    cell, kept = scene.on.cell, scene.kept
    first = scene.players.hook.got
    for one in running(cell, "service", "audit"):
        cell.stop(one.name)
    with scene.playing():
        until(lambda: kept.disclosures >= HELD, seconds=HELD_SECONDS, every=0.1)
    lose_disk(cell, "rabbit")
    scene.restart()  # what an operator does: `concordat up` declares users and queues again
    quiet = Trouble(cell, seed=1, acts=())
    joined = scene.came(quiet, 0.0, first).joined
    gone = Counter({_ANY: 0})
    for channel, entries in joined.lost.items():
        gone[_service(channel)] += len(entries)
    pushes = sum(line.startswith("webhook") for line in joined.missing)
    gone["notify"] += pushes
    after = scene.play(AFTERWARDS, quiet, longest=longest)
    alarmed: Counter[str] = Counter()

    def noticed() -> bool:
        alarmed.update(_alarmed(cell) - alarmed)
        return uncovered(gone, alarmed) == 0

    with suppress(AssertionError):  # the figures say so
        until(noticed, seconds=NOTICED_SECONDS, every=1.0)
    return Lost(joined.disclosures, +gone, alarmed, after)


def uncovered(gone: Mapping[str, int], alarmed: Mapping[str, int]) -> int:
    """How many of what is gone are more than what was alarmed: of each service, and altogether. Of a page
    nobody can tell which service recorded the part that its header names."""
    each = sum(max(0, number - alarmed.get(name, 0)) for name, number in gone.items() if name != _ANY)
    return max(each, sum(gone.values()) - sum(alarmed.values()))


def _alarmed(cell: Cell) -> Counter[str]:
    """What the metrics of every `audit` say."""
    found: Counter[str] = Counter()
    for one in running(cell, "service", "audit"):
        text = httpx.get(f"http://127.0.0.1:{one.port}/metrics", timeout=10, trust_env=False).text
        for service, number in _MISSING.findall(text):
            found[service] += int(float(number))
    return found


def _service(channel: str) -> str:
    """Which service recorded what left on this channel."""
    name = channel.removesuffix(" 304")
    return _SPECIAL.get(name) or _by_route().get(name, _ANY)


def _by_route() -> dict[str, str]:
    found = {}
    for route in ROUTES:
        path = re.sub(r"\{\w+\}", "{id}", route.path.removeprefix(PREFIX))
        for verb, entry in route.methods.items():
            if isinstance(entry, Operation):
                found[f"{verb} {path}"] = entry.service
    return found
