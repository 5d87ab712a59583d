"""Every page renders, escapes what people wrote, and carries what every page must carry."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from gateway.web.headers import POLICY
from gateway.web.routes import PAGES
from tests.unit.web.replies import CANARY, DONE_ENTRY, ESCAPED, KNOWN, REPLIES, REVOKED, WITHDRAWN
from tests.unit.web.site import EVERYTHING, FakeAsking, SiteClient

_IDS = {
    "case_id": "c1", "entry_id": "n1", "task_id": "k1", "share_id": "h1", "subject_id": "s1",
    "user_id": "u2", "team_id": "t1", "client_id": "x1", "agency_id": "a1", "protocol_id": "p1",
    "transfer_id": "f1", "session_id": "z1", "statement_id": "st1", "device_id": "d1",
    "review_id": "volume.2026-11-24.u1", "glass_id": "b1", "request_id": "q1",
    "conflict_id": "i1", "passkey_id": "y1",
    "alias": "police",
}  # fmt: skip
_ONLY_SENT = (
    "/end",
    "/log-out",
    "/log-in/callback/a1",
    "/inbox/read",
    "/reasons",
    "/secret",
    "/remove",
    "/devices/d1/revoke",
    "/reset",
    "/users/u2/state",
)
OPEN = ("/log-in", "/activate", "/log-in/agency", "/log-in/agency/police", "/log-in/code")
PATHS = [path.format(**_IDS) for path in PAGES]
SHOWN = [path for path in PATHS if path != "/" and not path.endswith(_ONLY_SENT)]
VARIANTS = [
    "/cases?mine=shared&status=open",
    "/cases/c1?type=note&agency_id=a1",
    *(f"/cases/c1/entries/new?type={kind}" for kind in ("incident_report", "intervention", "contact")),
    "/audit?actor_id=u1&from=2026-01-01&to=2026-02-01",
    "/audit/statements/new?subject_id=s1&from=2026-01-01",
    "/audit/reviews?state=open&kind=volume",
    "/administration/users?state=active",
    "/account?done=password",
]
_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr", "path", "rect"}


class _Checker(HTMLParser):
    """Balanced tags, ids once, labels that point at something, no inline script or style."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.inputs: list[tuple[str, dict[str, str | None]]] = []
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label":
            self.labels.append(str(given.get("for")))
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden":
            self.inputs.append((tag, given))
        if tag == "script" and not given.get("src"):
            self.problems.append("inline script")
        if "style" in given or any(name.startswith("on") for name in given):
            self.problems.append(f"inline style or handler on {tag}")

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"unbalanced {tag}")


def check(page: str) -> None:
    checker = _Checker()
    checker.feed(page)
    assert not checker.problems
    assert not checker.open
    assert len(set(checker.ids)) == len(checker.ids), sorted(
        one for one in set(checker.ids) if checker.ids.count(one) > 1
    )
    assert set(checker.labels) <= set(checker.ids)
    named = {str(given.get("id")) for _, given in checker.inputs}
    assert named <= set(checker.labels), f"inputs without a label: {named - set(checker.labels)}"


@pytest.fixture
def site() -> SiteClient:
    return SiteClient(FakeAsking())


@pytest.mark.parametrize("method", sorted(REPLIES), ids=".".join)
def test_the_fakes_say_what_services_say(method: tuple[str, str]) -> None:
    model, body = REPLIES[method]
    model.model_validate(body)
    known = set(model.model_fields) | {field.alias for field in model.model_fields.values() if field.alias}
    assert set(body) <= known


@pytest.mark.parametrize("path", [*SHOWN, *VARIANTS])
def test_a_page_renders_and_escapes(site: SiteClient, path: str) -> None:
    answer = site.get(path, cookie=path not in OPEN)
    assert answer.status_code == 200, answer.text[-3000:]
    page = answer.text
    check(page)
    assert CANARY not in page
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert "Undefined" not in page
    if path not in OPEN:
        assert page.count(ESCAPED) >= 2  # the visitor's name and agency at least
        for carried in (
            'action="/log-out"',
            'id="unread"',
            'id="protective-marking"',
            ">Skip to main content<",
        ):
            assert carried in page


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/log-in", ["current-password"]),
        ("/activate", ["new-password", "new-password"]),
        ("/account/password", ["current-password", "new-password", "new-password"]),
    ],
)
def test_passwords_are_hidden_and_password_managers_are_told_which(
    site: SiteClient, path: str, kinds: list[str]
) -> None:
    page = site.get(path, cookie=path not in OPEN).text
    hidden = re.findall(r'<input[^>]*type="password"[^>]*>', page)
    assert [re.findall(r'autocomplete="([\w-]+)"', one) for one in hidden] == [[kind] for kind in kinds]
    assert "onpaste" not in page


@pytest.mark.parametrize("path", ["/cases/c1", "/cases/c1/tasks/k1", "/cases", "/subjects/s1"])
def test_at_the_lowest_level_a_page_renders_too(path: str) -> None:
    asking = FakeAsking(("practitioner",))
    asking.replies["cases", "get_case"] = KNOWN
    answer = SiteClient(asking).get(path)
    assert answer.status_code == 200
    check(answer.text)


def test_a_revoked_share_says_since_when(site: SiteClient) -> None:
    site.asking.replies["sharing", "get_share"] = REVOKED
    answer = site.get("/cases/c1/shares/h2")
    assert "Effective at" in answer.text
    assert "20 November 2026, 10:00am" in answer.text


@pytest.mark.parametrize("entry", [DONE_ENTRY, WITHDRAWN], ids=["intervention", "withdrawn"])
@pytest.mark.parametrize("act", ["", "/correct"])
def test_every_kind_of_entry_can_be_looked_at(site: SiteClient, entry: dict[str, object], act: str) -> None:
    site.asking.replies["cases", "get_entry"] = entry
    answer = site.get(f"/cases/c1/entries/{entry['id']}{act}")
    assert answer.status_code == 200
    check(answer.text)


@pytest.mark.parametrize("role", EVERYTHING)
def test_the_menu_shows_what_a_role_has_a_use_for(role: str) -> None:
    site = SiteClient(FakeAsking((role,)))
    page = site.get("/account").text
    items = re.findall(r'class="app-menu__link" href="([^"]+)"', page)
    assert "/inbox" in items
    assert ("/cases" in items) == (role == "practitioner")
    assert ("/audit" in items) == role.endswith("dpo")
    start = site.get("/")
    assert start.status_code == 303
    assert start.headers["location"] in items


def test_nothing_personal_stands_in_a_link(site: SiteClient) -> None:
    for path in SHOWN:
        page = site.get(path, cookie=path not in OPEN).text
        for link in re.findall(r'(?:href|action)="([^"]*)"', page):
            assert "script" not in link.replace("/static/", ""), (path, link)


def test_static_files_are_kept_for_a_year_and_compressed(site: SiteClient) -> None:
    page = site.get("/log-in", cookie=False).text
    (style,) = re.findall(r'href="(/static/[0-9a-f]+/app.css)"', page)
    answer = site.get(style)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    stale = site.get("/static/0000/app.css")
    assert stale.headers["cache-control"] == "no-cache"
    assert site.get("/static/0000/nothing.css").status_code == 404
    assert site.get("/static/0000/../page.py").status_code == 404
