"""What happens to a form that is sent: done once, kept when it is refused, never taken from elsewhere."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from falcon import testing

from services.contracts.errors import (
    BadCredentials,
    ConcordatError,
    FieldError,
    Invalid,
    NotVisible,
    ProcedureUnsigned,
    ProtocolNotActive,
    ReasonRequired,
    RoleRequired,
    Stale,
    TotpRequired,
    Unauthenticated,
    Unavailable,
)
from tests.unit.web.replies import CASE
from tests.unit.web.site import TOKEN, FakeAsking, SiteClient
from tests.unit.web.test_pages import check

ORIGIN = "http://falconframework.org"
NOTE = {"text": "She was seen at the shop.", "quick": "1", "once": "a" * 32}


@pytest.fixture
def site() -> SiteClient:
    return SiteClient(FakeAsking())


def hidden(page: testing.Result, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None
    return unescape(found[1])


def test_a_note_is_added_and_leads_back_to_the_case(site: SiteClient) -> None:
    answer = site.post("/cases/c1/entries/new?type=note", NOTE)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/cases/c1?done=note#entry-n1"
    ((service, method, request, _),) = site.asking.told
    assert (service, method) == ("cases", "add_entry")
    assert request.entry.text == NOTE["text"]


def test_sent_twice_it_has_one_key(site: SiteClient) -> None:
    for _ in range(2):
        site.post("/cases/c1/entries/new?type=note", NOTE)
    first, second = site.asking.told
    assert first[3] == second[3]


@pytest.mark.parametrize("csrf", ["", "wrong"])
def test_without_the_token_nothing_is_done_and_the_text_is_kept(site: SiteClient, csrf: str) -> None:
    answer = site.post("/cases/c1/entries/new?type=note", {**NOTE, "csrf": csrf})
    assert answer.status_code == 403
    assert site.asking.told == []
    assert NOTE["text"] in answer.text


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
@pytest.mark.parametrize("cookie", [True, False])
@pytest.mark.parametrize("path", ["/cases/c1/entries/new?type=note", "/log-in"])
def test_what_another_site_sends_is_not_offered_to_be_sent_again(
    site: SiteClient, path: str, cookie: bool, origin: str
) -> None:
    answer = site.post(path, {**NOTE, "csrf": ""}, cookie=cookie, origin=origin)
    assert answer.status_code in (303, 403)
    assert site.asking.told == []
    assert NOTE["text"] not in answer.text
    assert site.csrf not in re.sub(r'(?s)<form action="/log-out".*?</form>', "", answer.text)


def test_a_form_from_our_own_origin_needs_no_token(site: SiteClient) -> None:
    answer = site.post("/cases/c1/entries/new?type=note", NOTE, csrf=False, origin=ORIGIN)
    assert answer.status_code == 303


@pytest.mark.parametrize("refusal", [NotVisible(), Unavailable(), Stale(etag="n-2")])
def test_what_was_typed_is_kept_with_the_request_id(site: SiteClient, refusal: ConcordatError) -> None:
    site.asking.refusals["cases", "add_entry"] = refusal
    if isinstance(refusal, NotVisible):
        site.asking.refusals["cases", "get_case"] = refusal
    answer = site.post("/cases/c1/entries/new?type=note", NOTE)
    assert answer.status_code == refusal.status
    assert NOTE["text"] in answer.text
    assert answer.headers["x-request-id"] in answer.text
    check(answer.text)
    # Nobody knows whether a 503 was done: it is sent again under the same key; a refusal was not.
    assert (hidden(answer, "once") == NOTE["once"]) == isinstance(refusal, Unavailable)


def test_an_expired_session_keeps_the_text_through_the_log_in(site: SiteClient) -> None:
    site.asking.refusals["cases", "add_entry"] = Unauthenticated()
    answer = site.post("/cases/c1/entries/new?type=note", NOTE)
    assert answer.status_code == 401
    assert NOTE["text"] in answer.text
    check(answer.text)
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', answer.text))
    typed = {**fields, "kept-text": NOTE["text"], "username": "lee", "password": "correct horse battery"}
    wrong = SiteClient(site.asking)
    wrong.asking.refusals["sharing", "log_in"] = BadCredentials()
    again = wrong.post("/log-in", typed, cookie=False, csrf=False, origin=ORIGIN)
    assert again.status_code == 401
    assert 'name="kept-text"' in again.text
    assert "correct horse" not in again.text
    del site.asking.refusals["sharing", "log_in"]
    resumed = site.post("/log-in", typed, cookie=False, csrf=False, origin=ORIGIN)
    assert resumed.status_code == 200
    assert resumed.cookies["concordat"].value == TOKEN
    assert NOTE["text"] in resumed.text
    check(resumed.text)
    site.asking.refusals.clear()
    sent = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', resumed.text))
    done = site.post("/cases/c1/entries/new?type=note", {**sent, "text": NOTE["text"]})
    assert done.status_code == 303


def test_log_in_is_not_taken_from_elsewhere(site: SiteClient) -> None:
    typed = {"username": "lee", "password": "x"}
    assert site.post("/log-in", typed, cookie=False, csrf=False).status_code == 403
    elsewhere = site.post("/log-in", typed, cookie=False, csrf=False, origin="https://evil.example")
    assert elsewhere.status_code == 403


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", ""])
def test_log_in_leads_to_this_site_only(site: SiteClient, target: str) -> None:
    typed = {"username": "lee", "password": "x", "next": target}
    answer = site.post("/log-in", typed, cookie=False, csrf=False, origin=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (BadCredentials(), "user name or password is not right"),
        (TotpRequired(), "Enter the code from your authenticator app"),
        (ProtocolNotActive(), "no information sharing protocol in force"),
    ],
)
def test_a_refused_log_in_says_why(site: SiteClient, refusal: ConcordatError, words: str) -> None:
    site.asking.refusals["sharing", "log_in"] = refusal
    typed = {"username": "lee", "password": "secret-words"}
    answer = site.post("/log-in", typed, cookie=False, csrf=False, origin=ORIGIN)
    assert answer.status_code == refusal.status
    assert words in answer.text
    assert "lee" in answer.text
    assert "secret-words" not in answer.text
    check(answer.text)


def test_who_has_not_signed_goes_to_the_procedure_and_on_to_the_page_first_asked_for(
    site: SiteClient,
) -> None:
    site.asking.refusals["cases", "get_case"] = ProcedureUnsigned()
    answer = site.get("/cases/c1")
    assert answer.headers["location"] == "/procedure?next=%2Fcases%2Fc1"
    page = site.get(answer.headers["location"])
    typed = {"next": hidden(page, "next"), "version": "2", "sha256": "0" * 64, "agreed": "yes"}
    assert site.post("/procedure", typed).headers["location"] == "/cases/c1"


def test_signing_needs_the_tick(site: SiteClient) -> None:
    answer = site.post("/procedure", {"version": "2", "sha256": "0" * 64})
    assert answer.status_code == 422
    assert "Tick the box to sign" in answer.text
    assert '<a href="#agreed">' in answer.text


def test_the_reason_is_asked_and_then_the_page_is_shown(site: SiteClient) -> None:
    site.asking.refusals["cases", "get_case"] = ReasonRequired()
    page = site.get("/cases/c1")
    assert page.status_code == 403
    check(page.text)
    del site.asking.refusals["cases", "get_case"]
    answer = site.post("/reasons", {"next": hidden(page, "next"), "reason": "task"})
    assert answer.headers["location"] == "/cases/c1"
    request = next(request for _, method, request in site.asking.asked[::-1] if method == "get_case")
    assert request.access_reason == "task"
    assert site.post("/reasons", {"next": "/cases/c1"}).status_code == 422


def test_a_problem_of_a_field_stands_at_the_field(site: SiteClient) -> None:
    site.asking.refusals["cases", "add_task"] = Invalid(
        errors=(FieldError("/assignee", "assignee_without_access", "No access."),)
    )
    typed = {
        "title": "Call",
        "assignee": "user:u2",
        "due_on-day": "1",
        "due_on-month": "may",
        "due_on-year": "2027",
    }
    answer = site.post("/cases/c1/tasks/new", typed)
    assert answer.status_code == 422
    assert '<a href="#assignee">' in answer.text
    check(answer.text)


@pytest.mark.parametrize("wrong", ["31 2 2027", "x y z", "1 1 1"])
def test_a_date_that_is_none_is_kept_and_named(site: SiteClient, wrong: str) -> None:
    day, month, year = wrong.split()
    typed = {
        "title": "Call",
        "assignee": "user:u2",
        "due_on-day": day,
        "due_on-month": month,
        "due_on-year": year,
    }
    answer = site.post("/cases/c1/tasks/new", typed)
    assert answer.status_code == 422
    assert "must be a real date" in answer.text
    assert f'value="{month}"' in answer.text


class Wizard:
    """A form of several steps, sent button by button."""

    def __init__(self, site: SiteClient, path: str) -> None:
        self.site, self.path = site, path
        self.page = site.get(path)

    def press(self, go: str, **typed: Any) -> testing.Result:
        carried = {name: hidden(self.page, name) for name in ("once", "step", "draft")}
        self.page = self.site.post(self.path, {**carried, **typed, "go": go})
        if self.page.status_code == 200:
            check(self.page.text)
        return self.page


CASE_DETAILS = {
    "template": "complex_asb", "title": "Noise & threats", "priority": "high",
    "marking": "official_sensitive", "owner_team_id": "t1", "summary": "Two incidents",
}  # fmt: skip


def test_a_new_case_goes_through_its_steps_and_is_made_once(site: SiteClient) -> None:
    wizard = Wizard(site, "/cases/new")
    assert wizard.press("next").status_code == 422
    assert "Enter a title" in wizard.page.text
    wizard.press("next", **CASE_DETAILS)
    assert "People and places" in wizard.page.text
    wizard.press("add", kind="person", team_id="t1", given="Ann", family="O'Neil", role="victim")
    assert "Ann O&#39;Neil" in wizard.page.text
    wizard.press("find", find="ann")
    wizard.press("add", subject_id="s2|family|The Smiths", role="family")
    wizard.press("kind", kind="premises")
    wizard.press(
        "next", kind="premises", team_id="t1", lines="1 High St", postcode="TS1 1AA", role="premises"
    )
    assert "Incident reports" in wizard.page.text
    when = {
        "occurred_at-day": "1",
        "occurred_at-month": "11",
        "occurred_at-year": "2026",
        "occurred_at-time": "9pm",
    }
    wizard.press("next", text="Shouting", channel="101", **when)
    assert "Check your answers" in wizard.page.text
    assert site.asking.told == []
    assert "Noise" in wizard.page.text
    assert wizard.press("create").headers["location"] == "/cases/c1?done=made"
    methods = [method for _, method, _, _ in site.asking.told]
    assert methods == ["create_subject", "create_subject", "create_case", "add_entry"]
    made = site.asking.told[2][2].case
    assert [one.role for one in made.subjects] == ["victim", "family", "premises"]
    assert made.title == "Noise & threats"
    assert site.asking.told[3][2].entry.occurred_at.isoformat() == "2026-11-01T21:00:00+00:00"


def test_a_case_whose_reports_failed_is_not_made_twice(site: SiteClient) -> None:
    wizard = Wizard(site, "/cases/new")
    wizard.press("next", **CASE_DETAILS)
    wizard.press("next")
    when = {
        "occurred_at-day": "1",
        "occurred_at-month": "7",
        "occurred_at-year": "2026",
        "occurred_at-time": "09:00",
    }
    wizard.press("next", text="Shouting", **when)
    site.asking.refusals["cases", "add_entry"] = Unavailable()
    assert wizard.press("create").status_code == 503
    assert "not all incident reports" in wizard.page.text
    site.asking.refusals.clear()
    assert wizard.press("create").status_code == 303
    methods = [method for _, method, _, _ in site.asking.told]
    assert methods.count("create_case") == 1
    first, second = (told for told in site.asking.told if told[1] == "add_entry")
    assert first[3] == second[3]


def test_a_refused_case_enters_nobody_twice(site: SiteClient) -> None:
    wizard = Wizard(site, "/cases/new")
    wizard.press("next", **CASE_DETAILS)
    wizard.press("next", kind="family", team_id="t1", name="The Smiths", role="family")
    wizard.press("next")
    site.asking.refusals["cases", "create_case"] = Invalid(errors=(FieldError("/title", "too_long", "x"),))
    assert wizard.press("create").status_code == 422
    site.asking.refusals.clear()
    assert wizard.press("create").status_code == 303
    methods = [method for _, method, _, _ in site.asking.told]
    assert methods.count("create_subject") == 1


def test_a_subject_whose_case_has_changed_is_entered_once(site: SiteClient) -> None:
    site.asking.refusals["cases", "put_case_subject"] = Stale(etag="c-2")
    typed = {
        "act": "add",
        "kind": "family",
        "team_id": "t1",
        "name": "The Smiths",
        "role": "family",
        "etag": "c-1",
    }
    answer = site.post("/cases/c1/subjects/new", typed)
    assert answer.status_code == 412
    check(answer.text)
    site.asking.refusals.clear()
    again = {**typed, "made_id": hidden(answer, "made_id"), "etag": hidden(answer, "etag")}
    assert again["etag"] == "c-2"
    assert site.post("/cases/c1/subjects/new", again).status_code == 303
    methods = [method for _, method, _, _ in site.asking.told]
    assert methods.count("create_subject") == 1


def test_who_changes_what_somebody_else_changed_sees_both(site: SiteClient) -> None:
    site.asking.replies["cases", "get_case"] = {**CASE, "title": "Theirs", "etag": "c-2"}
    site.asking.refusals["cases", "patch_case"] = Stale(etag="c-2")
    typed = {"title": "Mine", "priority": "high", "marking": "official", "summary": "S", "etag": "c-1"}
    answer = site.post("/cases/c1/edit", typed)
    assert answer.status_code == 412
    assert 'value="Mine"' in answer.text
    assert "Theirs" in answer.text
    assert hidden(answer, "etag") == "c-2"


def test_a_light_participant_is_asked_for_the_reason_of_a_task(site: SiteClient) -> None:
    site.asking.refusals["cases", "get_case"] = RoleRequired()
    answer = site.post("/reasons", {"next": "/cases/c1/tasks/k1", "reason": "task"})
    assert answer.headers["location"] == "/cases/c1/tasks/k1"
    assert site.asking.asked[-1][1] == "get_task"
    page = site.get("/cases/c1/tasks/k1")
    assert page.status_code == 200


def test_a_share_goes_through_its_steps(site: SiteClient) -> None:
    site.asking.replies["cases", "get_case"] = {**CASE, "title": "Noise"}
    wizard = Wizard(site, "/cases/c1/shares/new")
    disabled = re.findall(r'value="a3"[^>]* disabled', wizard.page.text)
    assert disabled
    assert "Not active: signed" in wizard.page.text
    wizard.press("next", agency_id="a2")
    assert "Cannot be named" in wizard.page.text
    assert wizard.press("next").status_code == 422
    wizard.press("next", members=["user|u2|Sam", "team|t2|ASB team"])
    assert wizard.press("next", level="read").status_code == 422
    wizard.press("next", level="read", sections=["summary", "timeline"], side="")
    offered = re.findall(r'name="terms" type="radio" value="([^"]+)"', wizard.page.text)
    assert offered == ["p1|asb|s115"]
    last = {"expires_at-day": "1", "expires_at-month": "4", "expires_at-year": "2027"}
    assert wizard.press("next", terms=offered[0], consent="refused", **last).status_code == 422
    wizard.press("next", terms=offered[0], consent="given", **last)
    assert "What they will see" in wizard.page.text
    assert site.asking.told == []
    answer = wizard.press("share")
    assert answer.headers["location"] == "/cases/c1/shares/h1?done=shared"
    ((_, method, request, _),) = site.asking.told
    assert method == "share_case"
    share = request.share
    assert [one.user_id or one.team_id for one in share.members] == ["u2", "t2"]
    assert share.expires_at.isoformat() == "2027-04-01T22:59:59+00:00"
    assert (share.protocol_id, share.purpose, share.legal_gateway) == ("p1", "asb", "s115")


def test_the_perpetrators_side_never_gets_the_victims_sections(site: SiteClient) -> None:
    wizard = Wizard(site, "/cases/c1/shares/new")
    wizard.press("next", agency_id="a2")
    wizard.press("next", members=["user|u2|Sam"])
    answer = wizard.press("next", level="read", sections=["victim"], side="perpetrator")
    assert answer.status_code == 422
    assert "never shared with the perpetrator" in answer.text


def test_a_draft_that_nobody_wrote_is_refused(site: SiteClient) -> None:
    draft = json.dumps({"subjects": [{"$ne": 1}]})
    assert site.post("/cases/new", {"draft": draft, "step": "check", "go": "create"}).status_code == 400
    assert site.asking.told == []


def test_a_revoke_names_who_loses_access_and_what_comes_back(site: SiteClient) -> None:
    page = site.get("/cases/c1/shares/h1/revoke")
    assert "Who loses access" in page.text
    answer = site.post("/cases/c1/shares/h1/revoke", {"reason": "wrong_recipient"})
    assert answer.headers["location"] == "/cases/c1/shares/h1"
    ((_, method, request, _),) = site.asking.told
    assert (method, request.reason) == ("revoke_share", "wrong_recipient")


def test_too_large_and_unreadable_forms_are_refused(site: SiteClient) -> None:
    assert site.post("/cases/c1/entries/new", {"text": "x" * 1_000_000}).status_code == 413
    big = {f"f{n}": "1" for n in range(3000)}
    assert site.post("/cases/c1/entries/new", big).status_code == 400


def test_a_path_that_cannot_be_one_is_like_one_that_is_not(site: SiteClient) -> None:
    for path in ("/cases/%7B%22$ne%22%3A1%7D", "/nothing", "/cases/c1/nothing"):
        answer = site.get(path)
        assert answer.status_code == 404
        assert "Page not found" in answer.text
        check(answer.text)


def test_log_out_ends_the_session_and_the_cookie(site: SiteClient) -> None:
    answer = site.post("/log-out")
    assert answer.headers["location"] == "/log-in?ended=1"
    assert answer.cookies["concordat"].value == ""
    assert [method for _, method, _, _ in site.asking.told] == ["end_current_session"]
