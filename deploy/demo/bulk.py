"""Many cases, for load tests: made through the API by two officers, each case with a victim and a report."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rich.progress import track

from deploy.demo import story
from deploy.demo.api import Api
from deploy.demo.seed import Say

_HANDS = 8
_GIVEN = ("Ada", "Bram", "Cleo", "Dov", "Elsa", "Finn", "Greta", "Hugo", "Inés", "Jude", "Kaya", "Levi")
_FAMILY = ("Alder", "Bolt", "Corr", "Dunn", "Eldon", "Frost", "Garth", "Hurst", "Ings", "Jarrow", "Kirk")
_STREETS = ("Mill Lane", "Station Road", "Chapel Close", "Bank Street", "Ropery Yard", "The Green")


def fill(url: str, demo: dict[str, Any], size: int, say: Say) -> None:
    """Make cases until there are `size` of this kind. Safe to repeat: each has its number as its key."""
    say(f"{size} cases more")
    officers = [one for one in demo["users"] if one["username"] in {"p.marsh", "d.okoro"}]
    apis = [Api(url).sign_in(one["username"], one["password"]) for one in officers]
    teams = [api.get("/me")["teams"][0]["id"] for api in apis]
    names = itertools.cycle(itertools.product(_GIVEN, _FAMILY, _STREETS))
    numbered = list(zip(range(size), names, strict=False))

    def make(one: tuple[int, tuple[str, str, str]]) -> None:
        number, (given, family, street) = one
        api, team = apis[number % len(apis)], teams[number % len(apis)]
        tale = story.Tale(
            f"bulk-{number}",
            f"Incidents at {street}, {number}",
            family,
            given,
            f"{number % 90 + 1} {street}",
            "TS18 2AA",
        )
        person = {
            "kind": "person",
            "names": [{"given": given, "family": family, "type": "legal"}],
            "team_id": team,
        }
        victim = api.post("/subjects", person, key=tale.key("subject"))["id"]
        story.open_case(api, team, tale, {"victim": victim})

    with ThreadPoolExecutor(_HANDS) as hands:
        for _ in track(hands.map(make, numbered), total=size, description="cases"):
            pass
