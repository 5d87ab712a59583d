"""The same through the real API: what each is answered on every channel, beside what the paper says."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.checks.access import naive
from tests.checks.access.naive import ALL_SECTIONS, LADDER, World
from tests.checks.access.scene import Scene
from tests.checks.wire import Answer, Line

Cell = tuple[str, str, str, str, str]
"""(channel, who, case, what came, what the paper says)"""
REASON = {"Access_Reason": "investigation"}
WORKERS = 4


@dataclass
class Moment:
    """How the world was at an instant, as the paper sees it."""

    at: datetime
    world: World


@dataclass
class Seen:
    cells: int = 0
    differ: list[str] = field(default_factory=list)
    by_channel: dict[str, int] = field(default_factory=dict)

    def take(self, cells: list[Cell]) -> None:
        for channel, who, case, came, right in cells:
            self.cells += 1
            self.by_channel[channel] = self.by_channel.get(channel, 0) + 1
            if came != right:
                self.differ.append(f"{channel}: {who} {case}: {came}, by the paper {right}")


def look(scene: Scene, into: Seen) -> Moment:
    """Everybody asks for everything; nothing changes meanwhile."""
    scene.world["now"] = datetime.now(UTC)
    with ThreadPoolExecutor(WORKERS) as pool:
        for cells in pool.map(lambda who: list(_of(scene, who)), scene.players()):
            into.take(cells)
    for case in scene.world["cases"]:
        into.take(list(_access(scene, case)))
    return Moment(datetime.now(UTC), copy.deepcopy(scene.world))


def _of(scene: Scene, who: str) -> Iterator[Cell]:
    line = Line(scene.on.url, scene.apis[who].token or "")
    officer = Line(scene.on.url, scene.officer.token or "")
    yield from _lists(scene, who, line)
    for case in scene.world["cases"]:
        yield from _case(scene.world, who, case, line)
        yield from _entries(scene.world, who, case, line)
        yield from _others(scene.world, who, case, line)
        if who in case["conflicts"] and who not in scene.world["clients"]:
            yield from _log(who, case, line)
        yield from explained(scene.world, who, case, officer, None)
    line.close()
    officer.close()


def said(answer: Answer) -> str:
    if 200 <= answer.status < 300:
        return "allowed"
    try:
        return str(answer.json()["code"])
    except (KeyError, TypeError, ValueError):
        return str(answer.status)


def _case(world: World, who: str, case: World, line: Line) -> Iterator[Cell]:
    right = naive.verdict(world, who, case, None, "know", "read")
    answer = line.ask("GET", f"/cases/{case['id']}", **REASON)
    yield "get", who, case["id"], said(answer), right
    body: Any = answer.json() if answer.status == 200 else {"my_access": {"sections": [], "level": None}}
    mine = body["my_access"]
    for section in ALL_SECTIONS:
        reads = right == "allowed" and naive.verdict(world, who, case, section, "read", "read") == "allowed"
        yield f"section {section}", who, case["id"], str(section in mine["sections"]), str(reads)
    level = naive.highest(world, who, case, None) if right == "allowed" else None
    yield "level", who, case["id"], str(mine["level"]), str("manage" if level == "own" else level)
    reads_at_all = level is not None and LADDER.index(level) >= LADDER.index("read")
    counted = body.get("counts", {}).get("entries") if reads_at_all else None
    yield (
        "count",
        who,
        case["id"],
        str(counted),
        str(naive.entries_seen(world, who, case) if reads_at_all else None),
    )
    summary = reads_at_all and naive.verdict(world, who, case, "summary", "read", "read") == "allowed"
    yield "summary", who, case["id"], str("summary" in body), str(summary)


def _entries(world: World, who: str, case: World, line: Line) -> Iterator[Cell]:
    right = naive.verdict(world, who, case, None, "read", "read")
    answer = line.ask("GET", f"/cases/{case['id']}/entries?limit=100", **REASON)
    yield "entries", who, case["id"], said(answer), right
    came = {one["id"] for one in answer.json()["items"]} if answer.status == 200 else set()
    timeline = naive.verdict(world, who, case, "timeline", "read", "read") == "allowed"
    mine = naive.agency_of(world, who)
    for entry_id, withheld in case["entry_ids"].items():
        shown = right == "allowed" and timeline and mine not in withheld
        yield "entry", who, case["id"], str(entry_id in came), str(shown)


def _others(world: World, who: str, case: World, line: Line) -> Iterator[Cell]:
    answer = line.ask("GET", f"/cases/{case['id']}/tasks", **REASON)
    yield "tasks", who, case["id"], said(answer), naive.verdict(world, who, case, None, "task", "task")
    right = naive.verdict(world, who, case, None, "know", "read")
    answer = line.ask("GET", f"/cases/{case['id']}/shares?limit=100", **REASON)
    yield "shares", who, case["id"], said(answer), right
    came = {one["id"] for one in answer.json()["items"]} if answer.status == 200 else set()
    owner = naive.is_owner(world, who, case)
    for share in case["shares"]:
        shown = right == "allowed" and (owner or naive.share_names(world, share, who))
        yield "share", who, case["id"], str(share["id"] in came), str(shown)
    sought = {"in": "cases", "text": case["reference"]}
    answer = line.ask("POST", "/searches", sought)
    hit = answer.status == 200 and any(one["id"] == case["id"] for one in answer.json()["items"])
    yield "search", who, case["id"], str(hit), str(right == "allowed")


def _log(who: str, case: World, line: Line) -> Iterator[Cell]:
    """Nothing names it to whom it does not exist, but what was asked for and refused."""
    for channel, path in (
        ("log", "/audit/entries?limit=100"),
        ("log of the case", f"/audit/entries?limit=100&case_id={case['id']}"),
        ("own consultations", "/me/consultations?limit=100"),
    ):
        answer = line.ask("GET", path)
        found = [one for one in answer.json()["items"] if one["outcome"] != "refused"]
        named = {item["id"] for one in found for item in one["objects"]}
        said_ = (
            "nothing" if case["id"] not in named and (found == [] or "case_id" not in path) else "something"
        )
        yield channel, who, case["id"], said_, "nothing"


def _lists(scene: Scene, who: str, line: Line) -> Iterator[Cell]:
    found: set[str] = set()
    path: str | None = "/cases?limit=100"
    while path is not None:
        answer = line.ask("GET", path)
        if answer.status != 200:
            break
        page = answer.json()
        found |= {one["id"] for one in page["items"]}
        path = f"/cases?limit=100&cursor={page['next']}" if page["next"] else None
    for case in scene.world["cases"]:
        right = naive.verdict(scene.world, who, case, None, "know", "read") == "allowed"
        yield "list", who, case["id"], str(case["id"] in found), str(right)


def explained(world: World, who: str, case: World, line: Line, at: datetime | None) -> Iterator[Cell]:
    """As the partnership's officer is told, now or of a past instant."""
    for action, section, least, kind in (
        ("read", None, "read", "read"),
        ("timeline", "timeline", "read", "read"),
        ("list_tasks", None, "task", "task"),
    ):
        body = {"user_id": who, "case_id": case["id"], "action": action}
        if at is not None:
            body["at"] = at.isoformat()
        answer = line.ask("POST", "/access/explain", body)
        told = answer.json() if answer.status == 200 else {"allowed": said(answer), "steps": []}
        right = naive.verdict(world, who, case, section, least, kind) == "allowed"
        yield "explain" if at is None else "explain then", who, case["id"], str(told["allowed"]), str(right)


def _access(scene: Scene, case: World) -> Iterator[Cell]:
    """Everybody whom the owner's list calls open, and everybody else."""
    items = scene.apis[case["owner"]].all(f"/cases/{case['id']}/access")
    listed = {one["who"]["id"] for one in items if one["now"] == "open"}
    for who in scene.players():
        right = naive.opens(scene.world, who, case)
        yield "access", who, case["id"], str(who in listed), str(right)


def look_wrongly(scene: Scene, into: Seen) -> None:
    """The case that is given to most, taken for one that is given to nobody: this has to be noticed."""
    most = max(scene.world["cases"], key=lambda case: len(case["shares"]))
    right, scene.world = scene.world, {**scene.world, "cases": [{**most, "shares": []}]}
    look(scene, into)
    scene.world = right


def look_back(scene: Scene, moments: list[Moment], into: Seen, each: int) -> None:
    """What was true at the instants of before is told of them now, whatever came since."""
    line = Line(scene.on.url, scene.officer.token or "")
    for moment in moments:
        for _ in range(each):
            who = scene.dice.choice(scene.players())
            case = scene.dice.choice(moment.world["cases"])
            moment.world["now"] = moment.at
            into.take(list(explained(moment.world, who, case, line, moment.at)))
    line.close()
