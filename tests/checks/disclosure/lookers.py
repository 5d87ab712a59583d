"""Who reads the cases, through every path there is."""

from __future__ import annotations

import random
import re
from typing import Any

from tests.checks.disclosure.author import Case
from tests.checks.disclosure.listening import Worker

_ENTRY = re.compile(rb'"/audit/entries/([0-9a-f-]{36})')


class Looker(Worker):
    """Reads whatever there is, at random. `owner`: of the cases."""

    owner = False
    share: dict[str, Any] = {}  # noqa: RUF012 - what an owner previews; set for each
    _logged: str | None = None

    def look(self, case: Case, chance: random.Random) -> None:
        if not self.person:
            looks = [self._anything, self._again]
        elif self.browser:
            looks = [self._pages]
        else:
            looks = [self._anything, self._anything, self._again, self._search, self._log]
            looks += [self._owners] if self.owner else [self._inbox]
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
        lists = ("access", "consultations", "conflicts", "break-glass", "transfers")
        what = chance.choice((*lists, "shares/preview"))
        if what == "shares/preview":
            self.ask("POST", f"{path}/{what}", self.share)
        else:
            self.ask("GET", f"{path}/{what}?limit=10")

    def _inbox(self, case: Case, chance: random.Random) -> None:
        answer = self.ask("GET", "/inbox?limit=10")
        items = answer.json()["items"] if answer.status == 200 else []
        if items:
            self.ask("PATCH", f"/inbox/{chance.choice(items)['id']}", {"read": True})

    def _log(self, case: Case, chance: random.Random) -> None:
        """One's own acts, or one's team's; an entry that is there already, its proof, its receipt."""
        paths = ["/me/consultations?limit=10", "/audit/entries?limit=10"]
        if self._logged is not None:
            entry = f"/audit/entries/{self._logged}"
            paths += [entry, f"{entry}/proof", f"{entry}/receipt"]
        answer = self.ask("GET", chance.choice(paths))
        if answer.status == 200 and (items := answer.json().get("items")):
            self._logged = chance.choice(items).get("entry_id") or items[0]["id"]

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
            f"{path}/consultations" if self.owner else "/inbox",
            f"{path}/access" if self.owner else "/account/consultations",
            f"{path}/edit" if self.owner else "/audit",
            f"{path}/status" if self.owner else path,
        ]
        if self.owner:
            share = f"{path}/shares/{chance.choice(case.shares)}"
            paths += [f"{share}/change", f"{share}/revoke", f"{path}/shares/new"]
            paths += [f"{path}/{what}/new" for what in ("subjects", "entries", "tasks", "transfers")]
            paths += [f"{path}/{what}" for what in ("conflicts", "break-glass", "transfers")]
            for one in case.entries[-1:]:
                paths += [f"{path}/entries/{one}/correct", f"{path}/entries/{one}/withdraw"]
        else:
            paths += [f"{path}/shares/{one}/hand-back" for one in case.shares]
        paths += [f"{path}/subjects/{case.subjects[0]}", f"{path}/shares/{chance.choice(case.shares)}"]
        paths += [f"{path}/entries/{one}" for one in case.entries[-1:]]
        paths += [f"{path}/tasks/{one}" for one in case.tasks[-1:]]
        paths += [f"{path}/shares", f"/subjects/{chance.choice(case.subjects)}"]
        chosen = chance.choice(paths)
        answer = self.ask("GET", chosen)
        if chosen == "/audit" and (found := _ENTRY.search(answer.body)):
            self.ask("GET", f"/audit/entries/{found[1].decode()}")


class Stranger(Looker):
    """Nobody has let this one in: it is refused, and that is recorded."""

    def look(self, case: Case, chance: random.Random) -> None:
        self.ask("GET", f"/cases/{case.id}{chance.choice(('', '/entries', '/tasks', '/shares', '/access'))}")
