"""Who is in the check: who writes the cases, who may read them, and who may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.demo import story
from deploy.demo.api import Api
from tests.checks.disclosure.author import Author
from tests.checks.disclosure.canaries import Aviary
from tests.checks.disclosure.listening import Kept
from tests.checks.disclosure.lookers import Looker, Stranger
from tests.checks.disclosure.officers import Officer
from tests.checks.disclosure.watching import Hook, Watcher
from tests.checks.ground import Ground
from tests.journey.steps import HOUSING, POLICE

Looking = Looker | Officer
SUPERVISOR = " by a supervisor"


@dataclass(frozen=True)
class Cast:
    """The author, those who look, and whom the cases are shared with."""

    author: Author
    lookers: list[Looking]
    watchers: list[Watcher]
    hook: Hook
    guest_id: str
    share: dict[str, Any]


def cast(on: Ground, aviary: Aviary, kept: Kept) -> Cast:
    owner = on.sign_in(POLICE, "practitioner")
    colleague = on.sign_in(POLICE, "supervisor")
    guest = on.sign_in(HOUSING, "practitioner")
    stranger = on.sign_in("Cleveland Fire and Rescue", "practitioner")
    client = on.cast.clients[0]
    system = owner.sign_in_client(client["id"], client["client_secret"])
    me = guest.get("/me")
    protocol = next(one for one in owner.all("/protocols") if one["state"] == "active")
    members = [{"user_id": me["user"]["id"]}, {"client_id": client["id"]}]
    share = story.share_body(me["agency"]["id"], protocol["id"], members)
    officer = on.sign_in(POLICE, "agency_dpo")
    lookers: list[Looking] = []

    def add(kind: Callable[..., Looking], token: str | None, **more: Any) -> Any:
        lookers.append(kind(on.urls[len(lookers) % len(on.urls)], str(token), aviary, kept, **more))
        return lookers[-1]

    one = add(Looker, owner.token)
    one.owner, one.share = True, share
    add(Looker, colleague.token).hat = SUPERVISOR
    for api in (guest, guest):
        add(Looker, api.token)
    add(Looker, system.token, person=False)
    add(Looker, owner.token, browser=True).owner = True
    add(Looker, guest.token, browser=True)
    add(Stranger, stranger.token)
    add(Officer, officer.token)
    add(Officer, officer.token, browser=True)
    author = Author(on.urls[0], str(owner.token), aviary, kept)
    author.team = owner.get("/me")["teams"][0]["id"]
    watchers = [
        Watcher(on.urls[n % len(on.urls)], str(api.token), kept)
        for n, api in enumerate((owner, guest, colleague, system))
    ]
    hook = Hook(Api(on.url, system.token), client["id"])
    return Cast(author, lookers, watchers, hook, me["user"]["id"], share)
