"""`make check-matrix`: endpoint x role x relation to the case x state: 0 unexpected answers.

Generated from the gateway's route table and judged by an oracle written from api.md. Then: unseen and missing
cases are alike in status, headers and body, in 10,000 refusals of requests right and wrong (SHORT=1: 300),
and in time (SHORT=1: 150 pairs a path; else 5,000). `--times`, `--refusals`: these alone.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from rich.console import Console

from gateway.routes import ROUTES
from tests.bench.figures import Report
from tests.bench.table import show_figures
from tests.checks.ground import ground, usual
from tests.checks.matrix import refusals, requests
from tests.checks.matrix.hidden import TRAINED, outsiders
from tests.checks.matrix.oracle import ANSWERABLE, GLASS, RULES, Unexpected, expected
from tests.checks.matrix.planted import FAULTS, planted
from tests.checks.matrix.refusals import looks
from tests.checks.matrix.timing import FULL, auc, limit, pairs
from tests.checks.matrix.world import Player, World, build
from tests.checks.wire import Answer, Line

Result = TypeVar("Result")

SHORT = bool(os.environ.get("SHORT"))
PAIRS = 150 if SHORT else FULL
REFUSALS, PROVING = 300 if SHORT else 10_000, 400
SEED = 20
_HANDS = 4
"""Players who read at once: one alone leaves every process waiting for the next."""
_REFUSALS = frozenset(
    {
        "unauthenticated",
        "procedure_unsigned",
        "role_required",
        "not_owner",
        "level_too_low",
        "not_built",
        "reason_required",
        "csrf_required",
        "rate_limited",
    }
)
_BLIND = {
    "practitioner, stranger": ("/cases/{}", "/cases/{}/shares", "/cases/{}/access"),
    # Carries a fence for the case, which `cases` looks at.
    "practitioner, agency with a share, not named": ("/cases/{}", "/cases/{}/entries"),
}
"""Whose answers are timed, and to what: the holder of the case, and the authority on who may see it."""
_LAST = (GLASS, ("DELETE", "/sessions/current"))
"""They change what every other cell needs (who reads the case, the sessions): asked when all else is done."""

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    report, alone = Report("check-matrix"), set(sys.argv[1:])
    environment = {
        "gateway": {"CONCORDAT_CASE_404S": "1000000"},
        "sharing": {"CONCORDAT_TRAINED_USES": TRAINED},
    }
    with ground(usual(), environment=environment) as on:
        world = build(on)
        # The last of the cells end the sessions.
        if alone <= {"--times"}:
            _time(world, report)
        if alone <= {"--refusals"}:
            _refuse(world, report)
        if not alone:
            _answers(world, report)
    show_figures(report)
    print(report.write())
    return 0 if report.holds else 1


def _refuse(world: World, report: Report) -> None:
    """Whoever may not know of a case is refused as of none; first, a service that tells more is found out."""
    players = outsiders(world)
    for service in FAULTS:
        with planted(world.on, service):
            told = refusals.ask(world, players, PROVING, SEED, until_told=True)
        name = f"planted, {service} tells the reason before not found: found"
        report.add(name, len([line for line in told.lines if " says " in line]), "answers", ">= 1")
    began = time.monotonic()
    told = refusals.ask(world, players, REFUSALS, SEED)
    for line in told.lines[:60]:
        console.print(f"TOLD {line}")
    answers = ", ".join(f"{status}: {number}" for status, number in sorted(told.statuses.items()))
    console.print(f"refusals: {told.pairs} pairs in {time.monotonic() - began:.0f} s, by status {answers}")
    report.add("refusals generated", told.refusals, "refusals", f">= {REFUSALS}")
    report.add("refusals that tell something", len(told.lines), "refusals", "== 0")


def _answers(world: World, report: Report) -> None:
    """Every cell of the matrix."""
    found = Unexpected()
    _cells(world, found, [one for one in _methods() if (one[0], requests.shape(one[1])) not in _LAST])
    _alike(world, found)
    _closed(world, found)
    for last in _LAST:
        _cells(world, found, [one for one in _methods() if (one[0], requests.shape(one[1])) == last])
    for line in found.lines[:60]:
        console.print(f"UNEXPECTED {line}")
    report.add("cells", found.cells, "answers", ">= 1500")
    report.add("unexpected", len(found.lines), "answers", "== 0")


def _methods() -> Iterator[tuple[str, str]]:
    """Every method and path of the table."""
    return ((method, route.path) for route in ROUTES for method in route.methods)


def _cells(world: World, found: Unexpected, methods: list[tuple[str, str]]) -> None:
    for method, path in methods:
        key = (method, requests.shape(path))
        if key not in RULES:
            found.lines.append(f"{method} {path} is not in the oracle")
            continue
        for player, answer in _answered(world, method, path):
            _judge(found, player, method, path, answer, expected(*key, player.actor))


def _closed(world: World, found: Unexpected) -> None:
    """The same people before a case that is closed: reads as before, writes refused, nothing told to more."""
    world.owner.post(f"/cases/{world.ids['case_id']}/transitions", {"to": "closed", "reason": "matrix"})
    for method, path in _methods():
        shape = requests.shape(path)
        if not shape.startswith("/cases/{}") or (method, shape) not in RULES or "shares" in shape:
            continue
        if (method, shape) in _LAST:
            continue
        for player, answer in _answered(world, method, path):
            wanted = expected(method, shape, player.actor)
            _judge(found, player, method, f"{path} (closed)", answer, wanted | _closed_too(shape, player))
            writes = method != "GET" and wanted == {"passed"} and not shape.endswith("transitions")
            if writes and 200 <= answer.status < 300:
                found.lines.append(f"{player.actor.name}: {method} {path}: wrote to a closed case")


def _closed_too(shape: str, player: Player) -> frozenset[str]:
    """What is right as well once it is closed: reopening is the owner's, and who reads knows the status."""
    if shape.endswith("/transitions") and player.actor.level == "manage":
        return frozenset({"not_owner"})
    if shape.endswith("/tasks/{}") and player.actor.level == "read":
        return frozenset({"passed"})
    return frozenset()


def _answered(world: World, method: str, path: str) -> Iterator[tuple[Player, Answer]]:
    """What each player is answered: who reads asks at once, who writes one after the other."""

    def ask(player: Player) -> Answer:
        return _ask(world, player, method, path)

    answers = _together(ask, world.players) if method == "GET" else map(ask, world.players)
    return zip(world.players, answers, strict=True)


def _together(ask: Callable[[Player], Result], players: list[Player]) -> list[Result]:
    with ThreadPoolExecutor(_HANDS) as hands:
        return list(hands.map(ask, players))


def _ask(world: World, player: Player, method: str, path: str, case_id: str | None = None) -> Answer:
    line = Line(world.on.url, player.token or "not-a-session")
    place, headers = requests.place(method, path, world, case_id=case_id), {}
    if method in requests.TAGGED:
        there = line.ask("GET", place.partition("?")[0], Access_Reason="investigation")
        headers["If_Match"] = there.headers.get("etag", '"none"')
    if player.actor.roles:
        headers["Access_Reason"] = "investigation"
    if method == "GET" and path.endswith("/stream"):
        answer = _first_of_stream(world, player)
    else:
        answer = line.ask(method, place, requests.body(method, path, world), **headers)
    line.close()
    return answer


def _first_of_stream(world: World, player: Player) -> Answer:
    """Only whether it opens: a stream has no end."""
    import httpx

    headers = {"Authorization": f"Bearer {player.token or 'none'}", "Accept": "text/event-stream"}
    url = f"{world.on.url}/api/v1/stream"
    with (
        httpx.Client(timeout=8, trust_env=False) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        body = b"" if answer.status_code == 200 else answer.read()
        return Answer(answer.status_code, body, 0.0, 0.0, dict(answer.headers))


def _judge(
    found: Unexpected, player: Player, method: str, path: str, answer: Answer, wanted: frozenset[str]
) -> None:
    found.cells += 1
    said = _said(answer, about_case="/cases/{" in path or path.endswith("/explain"))
    if said not in wanted:
        found.lines.append(
            f"{player.actor.name}: {method} {path}: {said} ({answer.status} {_code(answer)}), "
            f"expected {' or '.join(sorted(wanted))}"
        )


def _said(answer: Answer, *, about_case: bool) -> str:
    """The class of an answer: passed, or why not."""
    code = _code(answer)
    if answer.status == 0 or answer.status >= 500:
        return code if code == "not_built" else "error"
    if answer.status == 404:
        return "not_found" if about_case else "passed"
    return code if code in _REFUSALS else "passed"


def _code(answer: Answer) -> str:
    if answer.status < 400 or not answer.body:
        return ""
    return str(answer.json().get("code", ""))


def _alike(world: World, found: Unexpected) -> None:
    """What one may not know of and what does not exist: the same answer on every path about a case."""
    strangers = [
        player
        for player in world.players
        if player.actor.known and player.actor.signed and player.actor.level is None
    ]
    for method, path in _methods():
        if not requests.shape(path).startswith("/cases/{}"):
            continue
        if (method, requests.shape(path)) in _LAST:
            continue
        answerable = (method, requests.shape(path)) in ANSWERABLE
        asking = [one for one in strangers if not answerable or "partnership_dpo" not in one.actor.roles]
        for player, alike in zip(asking, _together(partial(_same, world, method, path), asking), strict=True):
            found.cells += 1
            if not alike:
                found.lines.append(f"{player.actor.name}: {method} {path}: unseen and missing differ")


def _same(world: World, method: str, path: str, player: Player) -> bool:
    unseen = looks(_ask(world, player, method, path))
    return unseen == looks(_ask(world, player, method, path, str(uuid.uuid4())))


def _time(world: World, report: Report) -> None:
    for player in (one for one in world.players if one.actor.name in _BLIND):
        line = Line(world.on.url, str(player.token))
        for path in _BLIND[player.actor.name]:
            pairs(line, path, world.big_case_id, 100)
            hidden, absent = pairs(line, path, world.big_case_id, PAIRS)
            name = f"{player.actor.name}: AUC of {PAIRS} pairs, {path}"
            report.add(name, auc(hidden, absent), "", f"<= {limit(PAIRS)}")
        line.close()


if __name__ == "__main__":
    sys.exit(main())
