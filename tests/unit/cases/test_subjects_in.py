"""What an event about a subject is about: of victims nobody on the perpetrator's side is told."""

from __future__ import annotations

import pytest

from services.cases.domain.case import InCase
from services.cases.domain.subjects_in import section_of
from tests.unit.cases.making import case


@pytest.mark.parametrize(
    ("before", "after", "section"),
    [
        ("victim", None, "victim"),
        ("witness", None, "subjects"),
        ("witness", "victim", "victim"),
        ("victim", "witness", "victim"),
        (None, "victim", "victim"),
        (None, None, "subjects"),
    ],
)
def test_what_was_or_becomes_a_victim_is_of_the_victims_section(before, after, section) -> None:  # type: ignore[no-untyped-def]
    there = () if before is None else (InCase("s-1", "Somebody", "person", before),)
    assert section_of(case(subjects=there), "s-1", after) == section
