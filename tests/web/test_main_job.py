"""The main job, by two people in two browsers: with scripts and without."""

from __future__ import annotations

import uuid

import pyotp
import pytest
from playwright.sync_api import expect

from tests.web import steps
from tests.web.browsing import Person
from tests.web.conftest import Sit

PASSWORD = "otter-lantern-quarry-88"
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_case_is_opened_shared_worked_on_and_taken_back(sit: Sit, scripts: bool) -> None:
    officer, housing = sit("p.marsh", scripts=scripts), sit("j.foley", scripts=scripts)
    title = f"Noise at Quay Court, {'with' if scripts else 'without'} scripts"
    case_id = steps.open_case(officer, title)
    expect(officer.page.get_by_role("heading", name=title)).to_be_visible()
    for text in ("Ada Lorne", "The Merrick family", "4 Quay Court", "A window was broken."):
        expect(officer.page.get_by_text(text).first).to_be_visible()

    # Nobody else knows of it.
    housing.page.goto(f"/cases/{case_id}")
    expect(housing.page.get_by_role("heading", name="Page not found")).to_be_visible()

    share_id = steps.share(officer, case_id)
    expect(officer.page.get_by_text("Shared.")).to_be_visible()

    # The housing officer finds it in the list, is asked why once, reads, adds.
    housing.page.goto("/cases?mine=shared")
    housing.follow(title)
    housing.say_why()
    expect(housing.page.get_by_role("heading", name=title)).to_be_visible()
    expect(housing.page.get_by_text("A window was broken.")).to_be_visible()
    expect(housing.page.get_by_text("Share this case")).to_have_count(0)
    housing.page.get_by_label("Add a note").fill("The tenant was warned in writing today.")
    housing.press("Add note")
    expect(housing.page.get_by_text("The tenant was warned in writing today.")).to_be_visible()

    # The officer gives a task; it is accepted and done.
    page = officer.open(f"/cases/{case_id}/tasks/new")
    page.get_by_label("What is to be done").fill("Visit the tenant")
    page.get_by_label("Who is to do it").select_option(label="Jonas Foley, Thirteen Housing")
    officer.fill_day("due_on", 1, 12, 2027)
    officer.press("Give the task")
    expect(page.get_by_text("The task is given.")).to_be_visible()
    housing.page.goto("/tasks")
    housing.follow("Visit the tenant")
    for act, state in (("Accept the task", "Accepted"), ("Mark it as done", "Done")):
        housing.page.get_by_label(act).check()
        if state == "Done":
            housing.page.get_by_label("Outcome").fill("Visited; the tenant will keep a diary.")
        housing.press("Save")
        expect(housing.page.get_by_text(state, exact=True).first).to_be_visible()

    # A note is corrected; what it said stays readable.
    housing.open(f"/cases/{case_id}")
    housing.page.get_by_role("link", name="Correct").first.click()
    housing.page.get_by_label("What happened").fill("The tenant was warned in writing yesterday.")
    housing.page.get_by_label("Why it is corrected").fill("Wrong day")
    housing.press("Correct")
    housing.page.get_by_role("link", name="Earlier versions").click()
    expect(housing.page.get_by_text("The tenant was warned in writing today.")).to_be_visible()

    # Who can see it and why, who has seen it; then it is taken back.
    page = officer.open(f"/cases/{case_id}/access")
    expect(page.get_by_role("row").filter(has_text="Jonas Foley")).to_contain_text("Shared")
    page = officer.open(f"/cases/{case_id}/consultations")
    seen = page.get_by_role("row").filter(has_text="Jonas Foley").filter(has_text="Opened")
    expect(seen.first).to_contain_text("A task that I was given")
    page = officer.open(f"/cases/{case_id}/shares/{share_id}/revoke")
    expect(
        page.get_by_role("listitem").filter(has_text="Jonas Foley, Thirteen Housing").first
    ).to_be_visible()
    page.get_by_label("Access is no longer needed").check()
    officer.press("Revoke now")
    expect(page.get_by_text("Effective at")).to_be_visible()

    housing.page.goto(f"/cases/{case_id}")
    expect(housing.page.get_by_role("heading", name="Page not found")).to_be_visible()
    housing.page.goto("/cases?mine=shared")
    expect(housing.page.get_by_role("link", name=title)).to_have_count(0)

    # What was contributed stays, under its agency's name.
    page = officer.open(f"/cases/{case_id}")
    expect(page.get_by_text("Jonas Foley, Thirteen Housing").first).to_be_visible()
    page.get_by_role("link", name="Change status").click()
    page.get_by_label("Close the case").check()
    page.get_by_label("Reason").fill("Nothing has happened for three months.")
    officer.press("Save")
    expect(page.get_by_text("This case is closed.")).to_be_visible()
    page.get_by_role("link", name="Reopen it").click()
    page.get_by_label("Reopen the case").check()
    page.get_by_label("Reason").fill("It began again.")
    officer.press("Save")
    expect(page.get_by_text("The status is changed.")).to_be_visible()


@pytest.mark.parametrize(
    ("username", "words"),
    [("n.stroud", "no information sharing protocol in force"), ("k.wynn", "protocol has expired")],
)
def test_who_cannot_log_in_is_told_why(sit: Sit, username: str, words: str) -> None:
    assert words in sit(username).page.content()


def test_the_dpo_finds_the_entry_and_its_proof(sit: Sit) -> None:
    dpo = sit("w.adeyemi")
    page = dpo.open("/audit?action=case.read")
    page.locator("table th a").last.click()
    expect(page.get_by_role("heading", name="Proof that it is in the log")).to_be_visible()
    page.get_by_role("link", name="The signed checkpoint").click()
    expect(page.locator("#command")).to_contain_text("concordat verify export")
    with page.expect_download() as download:
        dpo.page.goto("/audit")
        page.get_by_role("link", name="Export the log").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert '"note"' in lines[-1]
    assert len(lines) > 10


def test_somebody_is_invited_activates_signs_and_goes_on_to_the_page_first_asked_for(sit: Sit) -> None:
    newcomer, name = _invited(sit)
    newcomer.page.goto("/tasks")
    _log_in(newcomer, name)
    expect(newcomer.page.get_by_text("You have to sign this before you see any content.")).to_be_visible()
    newcomer.press("Sign")
    expect(newcomer.page.get_by_role("link", name="Tick the box to sign")).to_be_visible()
    newcomer.page.get_by_label("I have read this procedure").check()
    newcomer.press("Sign")
    expect(newcomer.page.get_by_role("heading", name="My tasks")).to_be_visible()


def test_an_authenticator_is_set_up_and_asked_for_from_then_on(sit: Sit) -> None:
    newcomer, name = _invited(sit)
    newcomer.page.goto("/log-in")
    _log_in(newcomer, name)
    page = newcomer.open("/account/totp")
    newcomer.press("Begin")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    secret = page.locator("main p code").first.inner_text()
    page.get_by_label("Code from the app").fill("000000")
    newcomer.press("Confirm")
    expect(page.get_by_text("This code is not right").first).to_be_visible()
    page.get_by_label("Code from the app").fill(pyotp.TOTP(secret).now())
    newcomer.press("Confirm")
    codes = page.locator("main li code").all_inner_texts()
    assert len(codes) == 10
    newcomer.press("Log out")
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    _log_in(newcomer, name)
    expect(page.get_by_text("Enter the code from your authenticator app").first).to_be_visible()
    page.get_by_label("Code from your authenticator app").fill(codes[0])
    _log_in(newcomer, name)
    expect(page.get_by_role("link", name="Nora Newcomer")).to_be_visible()


def _invited(sit: Sit) -> tuple[Person, str]:
    """Somebody new before a browser, with an account that was activated, and the user name."""
    administrator, newcomer = sit("a.tull"), sit("")
    page = administrator.open("/administration/users/new")
    name = f"nora.{uuid.uuid4().hex[:10]}"
    page.get_by_label("Name", exact=True).fill("Nora Newcomer")
    page.get_by_label("User name").fill(name)
    page.get_by_label("E-mail address").fill("nora@police.example")
    page.get_by_label("Stockton Neighbourhood Policing").check()
    page.get_by_label("Practitioner", exact=True).check()
    administrator.press("Invite")
    newcomer.page.goto(page.locator("#link").inner_text())
    expect(newcomer.page.get_by_label("Activation code")).not_to_have_value("")
    assert "#" not in newcomer.page.url
    newcomer.page.get_by_label("Choose a password").fill(PASSWORD)
    newcomer.page.get_by_label("The password again").fill(PASSWORD)
    newcomer.press("Activate")
    expect(newcomer.page.get_by_text("Your account is active.")).to_be_visible()
    return newcomer, name


def _log_in(person: Person, name: str) -> None:
    person.page.get_by_label("User name").fill(name)
    person.page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Log in")
