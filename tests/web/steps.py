"""The two forms of several steps, filled in as people would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from playwright.sync_api import Page

from tests.web.browsing import Person, id_in

AGENCY, TEAM, PERSON = "Thirteen Housing", "Tenancy Enforcement", "Jonas Foley"


def new_case(person: Person, title: str) -> Iterator[tuple[str, Page]]:
    """(name, page) at each step, before it is sent; ends with the case made."""
    page = person.open("/cases/new")
    page.get_by_label("Complex anti-social behaviour").check()
    page.get_by_label("Title").fill(title)
    page.locator("#summary").fill("Noise and threats at a block of flats since the spring.")
    yield "case-new-details", page
    person.press_last("Continue")
    page.get_by_label("Given names").fill("Ada")
    page.get_by_label("Family name").fill("Lorne")
    page.get_by_label("Role in this case").select_option(label="Victim")
    yield "case-new-subjects", page
    person.press("Add to the case")
    page.locator("#kind").select_option("family")
    person.press("Choose this kind")
    page.get_by_label("Name", exact=True).fill("The Merrick family")
    page.get_by_label("Role in this case").select_option(label="Family")
    person.press("Add to the case")
    page.locator("#kind").select_option("premises")
    person.press("Choose this kind")
    page.get_by_label("Address").fill("4 Quay Court\nStockton-on-Tees")
    page.get_by_label("Postcode").fill("ts18 1aa")
    page.get_by_label("Role in this case").select_option(label="Premises")
    person.press_last("Continue")
    for number, text in enumerate(("Shouting and banging until 2am.", "A window was broken.")):
        person.fill_day("occurred_at", 1 + number, 11, 2026)
        page.locator("#occurred_at-time").fill("23:30")
        page.get_by_label("How it was reported").select_option(label="101 call")
        page.get_by_label("What happened").fill(text)
        if number == 0:
            yield "case-new-reports", page
            person.press("Add and write another")
    person.press_last("Continue")
    yield "case-new-check", page


def open_case(person: Person, title: str) -> str:
    """The whole of it; returns the case's id."""
    for _ in new_case(person, title):
        pass
    person.press("Open the case")
    return id_in(person.page.url, "cases")


def new_share(person: Person, case_id: str, level: str = "Read and add") -> Iterator[tuple[str, Page]]:
    """(name, page) at each step, before it is sent; ends before "Share now"."""
    page = person.open(f"/cases/{case_id}/shares/new")
    page.get_by_label(AGENCY, exact=True).check()
    yield "share-new-agency", page
    person.press_last("Continue")
    page.get_by_label(f"{TEAM} (team)").check()
    page.get_by_label(PERSON).first.check()
    yield "share-new-people", page
    person.press_last("Continue")
    page.get_by_label(level, exact=True).check()
    yield "share-new-level", page
    person.press_last("Continue")
    page.get_by_label("Preventing anti-social behaviour: Crime and Disorder Act").first.check()
    page.get_by_label("Given", exact=True).check()
    last = date.today() + timedelta(days=30)
    person.fill_day("expires_at", last.day, last.month, last.year)
    yield "share-new-terms", page
    person.press_last("Continue")
    yield "share-new-preview", page


def share(person: Person, case_id: str) -> str:
    """The whole of it; returns the share's id."""
    for _ in new_share(person, case_id):
        pass
    person.press("Share now")
    return id_in(person.page.url, "shares")


def of_the_wizards(person: Person, case_id: str) -> Iterator[tuple[str, Page]]:
    """Every step of both, nothing of it sent."""
    yield from new_case(person, "Noise at Quay Court")
    yield from new_share(person, case_id)
