"""No path of the API that may show case data is forgotten by the check of V3."""

from __future__ import annotations

import re

from gateway.routes import PREFIX, ROUTES
from gateway.web.routes import PAGES
from tests.checks.disclosure.channels import BEFOREHAND, CHANNELS, UNASKED
from tests.checks.disclosure.players import SUPERVISOR

ABOUT_CASES = (
    *("/cases", "/subjects", "/tasks", "/searches", "/inbox", "/stream", "/audit"),
    *("/me/consultations", "/account/consultations", "/reasons"),
)
"""What the rest of the paths is about: people, agencies, systems, procedures."""


def _with_id(path: str) -> str:
    return re.sub(r"\{\w+\}", "{id}", path)


def _plain(channel: str) -> str:
    return channel.partition(" by a")[0]


def test_every_route_and_page_about_cases_is_asked_or_excused() -> None:
    table = {
        f"{verb} {_with_id(route.path.removeprefix(PREFIX))}"
        for route in ROUTES
        for verb in route.methods
        if route.path.removeprefix(PREFIX).startswith(ABOUT_CASES)
    }
    table |= {f"page {_with_id(path)}" for path in PAGES if path.startswith(ABOUT_CASES)}
    asked = {_plain(channel) for channel in CHANNELS} | BEFOREHAND
    assert table - asked == UNASKED.keys()
    assert not asked & UNASKED.keys()


def test_every_channel_is_there() -> None:
    table = {
        f"{verb} {_with_id(route.path.removeprefix(PREFIX))}" for route in ROUTES for verb in route.methods
    }
    table |= {f"page {_with_id(path)}" for path in PAGES} | {"webhook"}
    assert {_plain(channel).removesuffix(" 304") for channel in CHANNELS} | BEFOREHAND <= table


def test_a_hat_makes_another_channel() -> None:
    assert _plain(f"GET /audit/entries{SUPERVISOR}") == "GET /audit/entries"
