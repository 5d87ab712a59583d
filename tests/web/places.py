"""Every page that somebody can come to: who looks at it, and how it is called."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.web.browsing import Person

OFFICER, RECIPIENT, ADMINISTRATOR = "p.marsh", "j.foley", "a.tull"
OPERATOR, SECURITY, DPO = "operator", "y.north", "w.adeyemi"
NOBODY = ""
Place = tuple[str, str]
"""(name, path)"""

OPEN: tuple[Place, ...] = (
    ("log-in", "/log-in"),
    ("log-in-by-agency", "/log-in/agency"),
    ("log-in-code", "/log-in/code"),
    ("log-in-failed", "/log-in/callback/none"),
    ("activate", "/activate"),
)
_ACCOUNT: tuple[Place, ...] = (
    ("account", "/account"),
    ("account-password", "/account/password"),
    ("account-totp", "/account/totp"),
    ("account-passkey-new", "/account/passkeys/new"),
    ("account-device", "/account/device"),
    ("account-step-up", "/account/step-up"),
    ("account-access-log", "/account/consultations"),
    ("procedure", "/procedure"),
    ("inbox", "/inbox"),
    ("not-found", "/no-such-page"),
)
_CASES: tuple[Place, ...] = (
    ("cases-owned", "/cases?mine=owned"),
    ("cases-shared", "/cases?mine=shared"),
    ("cases-search", "/cases/search"),
    ("case-new", "/cases/new"),
    ("tasks", "/tasks"),
)
_ADMINISTRATION: tuple[Place, ...] = (
    ("administration", "/administration"),
    ("users", "/administration/users"),
    ("user-new", "/administration/users/new"),
    ("teams", "/administration/teams"),
    ("team-new", "/administration/teams/new"),
    ("systems", "/administration/systems"),
    ("system-new", "/administration/systems/new"),
    ("devices", "/administration/devices"),
    ("device-new", "/administration/devices/new"),
    ("ownerless", "/administration/ownerless"),
)
_OPERATOR: tuple[Place, ...] = (
    ("agencies", "/administration/agencies"),
    ("agency-new", "/administration/agencies/new"),
    ("protocols", "/administration/protocols"),
    ("protocol-new", "/administration/protocols/new"),
)
_SECURITY: tuple[Place, ...] = (
    ("procedures", "/administration/procedures"),
    ("procedure-new", "/administration/procedures/new"),
)
_AUDIT: tuple[Place, ...] = (
    ("audit", "/audit"),
    ("audit-checkpoint", "/audit/checkpoint"),
    ("why-asked-by-an-officer", "/access/why"),
)

FIXED: dict[str, tuple[Place, ...]] = {
    NOBODY: OPEN,
    OFFICER: (*_CASES, *_ACCOUNT),
    ADMINISTRATOR: _ADMINISTRATION,
    OPERATOR: _OPERATOR,
    SECURITY: _SECURITY,
    DPO: _AUDIT,
}
_OF_A_CASE: tuple[Place, ...] = (
    ("case", ""),
    ("case-edit", "/edit"),
    ("case-status", "/status"),
    ("case-subject-add", "/subjects/new"),
    ("entry-new-note", "/entries/new?type=note"),
    ("entry-new-report", "/entries/new?type=incident_report"),
    ("entry-new-intervention", "/entries/new?type=intervention"),
    ("task-new", "/tasks/new"),
    ("shares", "/shares"),
    ("share-new", "/shares/new"),
    ("access", "/access"),
    ("consultations", "/consultations"),
    ("emergency", "/emergency"),
    ("glasses", "/break-glass"),
    ("conflicts", "/conflicts"),
    ("conflict-own", "/conflicts/own"),
    ("transfers", "/transfers"),
    ("transfer-new", "/transfers/new"),
)
_LINKED: tuple[tuple[str, str, str], ...] = (
    ("subject", "/cases/{case}", 'a[href^="/subjects/"]'),
    ("subject-role", "/cases/{case}", 'a:text("Change role")'),
    ("entry-correct", "/cases/{case}", 'a:text("Correct")'),
    ("entry-withdraw", "/cases/{case}", 'a:text("Withdraw")'),
    ("task", "/cases/{case}", 'a[href*="/tasks/0"]'),
    ("why", "/cases/{case}/access", 'td a[href^="/access/why"]'),
    ("share", "/cases/{case}/shares", 'a:text("Thirteen Housing")'),
    ("share-change", "+share", 'a:text-is("Change")'),
    ("share-revoke", "+share", 'a:text-is("Revoke")'),
)
_FROM_LISTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    ADMINISTRATOR: (
        ("user", "/administration/users", "table a"),
        ("user-trainings", "+user", 'a[href$="/trainings"]'),
        ("user-deputy", "+user", 'a[href$="/deputy"]'),
        ("places", "/administration", 'a[href$="/places"]'),
        ("single-sign-on", "/administration", 'a[href$="/identity-provider"]'),
        ("team", "/administration/teams", "main li a"),
    ),
    "e.vance": (("system", "/administration/systems", "main li a"),),
    OPERATOR: (
        ("agency", "/administration/agencies", "table a"),
        ("agency-state", "+agency", 'a[href$="/state"]'),
        ("protocol", "/administration/protocols", "main li a"),
        ("protocol-state", "+protocol", 'a[href$="/state"]'),
    ),
    DPO: (("audit-entry", "/audit", "table th a"),),
}


def every(people: dict[str, Person], case_id: str) -> Iterator[tuple[str, Person, Page]]:
    """(name, who, the page, open now) of every place. `people` has one for each name above, "" too."""
    for username, places in FIXED.items():
        for name, path in places:
            yield name, people[username], people[username].open(path)
    officer = people[OFFICER]
    for name, rest in _OF_A_CASE:
        yield name, officer, officer.open(f"/cases/{case_id}{rest}")
    yield from _linked(officer, _LINKED, case_id)
    for username, links in _FROM_LISTS.items():
        yield from _linked(people[username], links, case_id)
    recipient = people[RECIPIENT]
    recipient.page.goto(f"/cases/{case_id}")
    if recipient.page.get_by_role("heading", name="Why are you opening this case?").count():
        yield "reason", recipient, recipient.page
    yield "case-as-recipient", recipient, recipient.open(f"/cases/{case_id}")


def _linked(
    person: Person, links: tuple[tuple[str, str, str], ...], case_id: str
) -> Iterator[tuple[str, Person, Page]]:
    came: dict[str, str] = {}
    for name, start, selector in links:
        where = came[start[1:]] if start.startswith("+") else start.format(case=case_id)
        page = person.open(where)
        href = page.locator(selector).first.get_attribute("href")
        assert href, name
        came[name] = href
        yield name, person, person.open(href)


USERNAMES = (*(name for name in FIXED if name), RECIPIENT, "e.vance")
