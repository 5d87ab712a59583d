"""Who reads the cases, through every path there is; and who is in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.demo import story
from tests.checks.disclosure.author import Author, Case
from tests.checks.disclosure.canaries import Aviary
from tests.checks.disclosure.listening import Kept, Worker
from tests.checks.ground import Ground
from tests.journey.steps import HOUSING, POLICE

CHANNELS = (
    "GET /cases/{id}",
    "GET /cases/{id} 304",
    "GET /cases",
    "POST /searches",
    "GET /cases/{id}/entries",
    "GET /cases/{id}/entries/{id}",
    "GET /cases/{id}/tasks",
    "GET /cases/{id}/tasks/{id}",
    "GET /tasks",
    "GET /subjects",
    "GET /subjects/{id}",
    "GET /subjects/{id}/chronology",
    "GET /subjects/{id}/links",
    "GET /cases/{id}/shares",
    "GET /cases/{id}/shares/{id}",
    "GET /cases/{id}/access",
    "GET /cases/{id}/consultations",
    "POST /cases/{id}/shares/preview",
    "page /cases",
    "page /cases/{id}",
    "page /cases/{id}/entries/{id}",
    "page /cases/{id}/tasks/{id}",
    "page /cases/{id}/shares",
    "page /subjects/{id}",
    "page /tasks",
)
"""Each of them must have disclosed something, or the check has not looked there."""


class Looker(Worker):
    """Reads whatever there is, at random. `owner`: of the cases."""

    owner = False
    share: dict[str, Any] = {}  # noqa: RUF012 - what an owner previews; set for each

    def look(self, case: Case, chance: random.Random) -> None:
        if not self.person:
            looks = [self._anything, self._again]
        elif self.browser:
            looks = [self._pages]
        else:
            looks = [self._anything, self._anything, self._again, self._search]
            looks += [self._owners] if self.owner else []
        chance.choice(looks)(case, chance)

    def _anything(self, case: Case, chance: random.Random) -> None:
        path = f"/cases/{case.id}"
        paths = [path, path, f"{path}/entries", f"{path}/tasks", "/cases?limit=10", "/cases?limit=3"]
        paths += [f"{path}/entries/{one}" for one in case.entries[-2:]]
        paths += [f"{path}/tasks/{one}" for one in case.tasks[-2:]]
        if self.person:
            subject = f"/subjects/{chance.choice(case.subjects)}"
            paths += [subject, f"{subject}/chronology", f"{subject}/links", "/tasks", "/subjects?limit=10"]
            paths += [f"/subjects/{case.subjects[0]}/chronology"]
            paths += [f"{path}/shares", *(f"{path}/shares/{one}" for one in case.shares)]
        self.ask("GET", chance.choice(paths))

    def _again(self, case: Case, chance: random.Random) -> None:
        """What one has already: 304, which is a consultation as well."""
        path = f"/cases/{case.id}"
        tag = self.ask("GET", path).headers.get("etag")
        if tag:
            self.ask("GET", path, If_None_Match=tag)

    def _search(self, case: Case, chance: random.Random) -> None:
        wanted = [
            ("cases", case.reference),
            ("cases", case.words["title"]),
            ("subjects", case.words["family"]),
        ]
        where, text = chance.choice(wanted)
        self.ask("POST", "/searches", {"in": where, "text": text})

    def _owners(self, case: Case, chance: random.Random) -> None:
        path = f"/cases/{case.id}"
        what = chance.choice(("access", "consultations", "shares/preview"))
        if what == "shares/preview":
            self.ask("POST", f"{path}/{what}", self.share)
        else:
            self.ask("GET", f"{path}/{what}?limit=10")

    def _pages(self, case: Case, chance: random.Random) -> None:
        path = f"/cases/{case.id}"
        paths = [
            path,
            path,
            path,
            f"{path}?type=intervention",
            "/cases?mine=owned",
            "/cases?mine=shared",
            "/tasks",
        ]
        paths += [f"{path}/entries/{one}" for one in case.entries[-1:]]
        paths += [f"{path}/tasks/{one}" for one in case.tasks[-1:]]
        paths += [f"{path}/shares", f"/subjects/{chance.choice(case.subjects)}"]
        self.ask("GET", chance.choice(paths))


class Stranger(Looker):
    """Nobody has let this one in: it is refused, and that is recorded."""

    def look(self, case: Case, chance: random.Random) -> None:
        self.ask("GET", f"/cases/{case.id}{chance.choice(('', '/entries', '/tasks', '/shares', '/access'))}")


@dataclass(frozen=True)
class Cast:
    """The author, those who look, and whom the cases are shared with."""

    author: Author
    lookers: list[Looker]
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
    lookers: list[Looker] = []

    def add(kind: Callable[..., Looker], token: str | None, **more: Any) -> Looker:
        lookers.append(kind(on.urls[len(lookers) % len(on.urls)], str(token), aviary, kept, **more))
        return lookers[-1]

    one = add(Looker, owner.token)
    one.owner, one.share = True, share
    for api in (colleague, guest, guest):
        add(Looker, api.token)
    add(Looker, system.token, person=False)
    add(Looker, owner.token, browser=True)
    add(Looker, guest.token, browser=True)
    add(Stranger, stranger.token)
    author = Author(on.urls[0], str(owner.token), aviary, kept)
    author.team = owner.get("/me")["teams"][0]["id"]
    return Cast(author, lookers, me["user"]["id"], share)
