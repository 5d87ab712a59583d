"""Subjects: what may be entered, what they are called, under which words they are found, how they change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.cases.domain.labels import label_of, words_asked, words_of
from services.cases.domain.subjects import Subject, body_of, check_entered, fields_of
from services.contracts.cases.subjects import CreateSubject, PersonBody, SubjectBody, SubjectChanges
from services.contracts.errors import Invalid
from services.contracts.parsing import parse
from services.contracts.views import Disclosed

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LEGAL = {"given": "Aoife", "family": "O'Neill", "type": "legal"}
ALIAS = {"given": "", "family": "Zoë", "type": "alias"}
PERSON = {
    "kind": "person",
    "names": [ALIAS, LEGAL],
    "team_id": "north",
    "identifiers": [{"scheme": "pnc", "value": "2003/11985x"}],
    "external_ref": {"system": "niche", "id": "N-77"},
}
FAMILY = {"kind": "family", "name": "The Waller family", "team_id": "north"}
PREMISES = {
    "kind": "premises",
    "team_id": "north",
    "address": {"lines": ["6 Tullaroop Street", "Middlesbrough"], "postcode": "ts11aa"},
    "uprn": "000100023336956",
}
POINT = {"type": "Point", "coordinates": [-1.23, 54.57]}
PLACE = {"kind": "place", "name": "Albert Park", "team_id": "north", "geometry": POINT}


def read(body: dict[str, Any]) -> Any:
    return parse(SubjectBody, body).root


def subject(body: dict[str, Any]) -> Subject:
    return Subject("s1", "police", read(body), 1, "u1", NOW, NOW)


def pointers(body: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        parse(SubjectBody, body)
    return {(error.pointer, error.code) for error in refused.value.errors}


@pytest.mark.parametrize("body", [PERSON, FAMILY, {**PREMISES, "uprn": "100023336956"}, PLACE])
def test_each_kind_comes_back_as_it_was_entered(body: dict[str, Any]) -> None:
    there_and_back = body_of(fields_of(read(body)))
    assert there_and_back == read(body)
    view = subject(body).view(Disclosed(entry_id="e", by=NOW)).model_dump(mode="json", exclude_unset=True)
    assert view["agency_id"] == "police"
    assert view.keys() - {"id", "agency_id", "created_at", "updated_at", "etag", "disclosed"} == body.keys()


def test_a_body_crosses_the_wire_unchanged() -> None:
    request = CreateSubject(subject=SubjectBody.model_validate(PERSON))
    assert CreateSubject.model_validate_json(request.model_dump_json(exclude_unset=True)) == request


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ("/kind", "required")),
        ({"kind": {"$ne": 1}}, ("/kind", "not_a_choice")),
        ({**PERSON, "name": "x"}, ("/name", "unknown_field")),
        ({**PERSON, "names": []}, ("/names", "too_few")),
        ({**PERSON, "names": [{"given": " ", "family": "", "type": "legal"}]}, ("/names/0", "too_short")),
        (
            {**PERSON, "identifiers": [{"scheme": "nhs", "value": "9434765918"}]},
            ("/identifiers/0/value", "wrong_form"),
        ),
        (
            {**PERSON, "identifiers": [{"scheme": "pnc", "value": "2003/0011985Y"}]},
            ("/identifiers/0/value", "wrong_form"),
        ),
        (
            {**PERSON, "identifiers": [{"scheme": "upn", "value": "A801200005001"}]},
            ("/identifiers/0/value", "wrong_form"),
        ),
        ({**PERSON, "born": {"date": "1937-12-33", "precision": "day"}}, ("/born/date", "wrong_form")),
        ({**PERSON, "team_id": {"$gt": ""}}, ("/team_id", "wrong_type")),
        ({**PERSON, "external_ref": {"system": "a b", "id": "1"}}, ("/external_ref/system", "wrong_form")),
        (
            {**PREMISES, "address": {"lines": ["1"], "postcode": "ZZ99 9Z"}},
            ("/address/postcode", "wrong_form"),
        ),
        ({**PREMISES, "uprn": "1234567890123456"}, ("/uprn", "wrong_form")),
        (
            {**PLACE, "geometry": {"type": "Point", "coordinates": [0, 91]}},
            ("/geometry/coordinates/1", "out_of_range"),
        ),
        (
            {**PLACE, "geometry": {"type": "GeometryCollection", "geometries": []}},
            ("/geometry/type", "not_a_choice"),
        ),
        ({**PLACE, "geometry": {**POINT, "bbox": []}}, ("/geometry/bbox", "unknown_field")),
    ],
)
def test_what_is_wrong_is_told_by_its_place_in_the_body(body: dict[str, Any], wrong: tuple[str, str]) -> None:
    assert wrong in pointers(body)


def test_a_geometry_is_closed_and_bounded() -> None:
    line = [[0.001 * n, 50] for n in range(600)]
    for geometry in (
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1]]]},
        {"type": "MultiLineString", "coordinates": [line, line]},
        {"type": "LineString", "coordinates": [[0.001 * n, 50] for n in range(1001)]},
    ):
        assert pointers({**PLACE, "geometry": geometry})
    read({**PLACE, "geometry": {"type": "LineString", "coordinates": line}})
    read({**PLACE, "geometry": {"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 1], [1, 0], [0, 0]]]]}})


@pytest.mark.parametrize(
    ("scheme", "given", "kept"),
    [
        ("nhs", "943 476 5919", "9434765919"),
        ("pnc", "2003/11985x", "2003/0011985X"),
        ("upn", "b801200005001", "B801200005001"),
        ("nino", "jg 10 37 59 a", "JG103759A"),
        ("cro", "1234/99x", "001234/99X"),
    ],
)
def test_an_identifier_is_kept_in_one_form(scheme: str, given: str, kept: str) -> None:
    body = read({**PERSON, "identifiers": [{"scheme": scheme, "value": given}]})
    assert body.identifiers[0].value == kept


def test_a_subject_is_called_by_what_people_know_it_by() -> None:
    assert label_of(read(PERSON)) == "Aoife O'Neill"
    assert label_of(read({**PERSON, "names": [ALIAS]})) == "Zoë"
    assert label_of(read(FAMILY)) == "The Waller family"
    assert label_of(read({**PREMISES, "uprn": "1"})) == "6 Tullaroop Street, Middlesbrough, TS1 1AA"
    assert len(label_of(read({**FAMILY, "name": "x" * 120}))) == 120


@pytest.mark.parametrize(
    "text", ["o'neill", "ONEILL", "neill aoife", "zoe", "2003/0011985X", "n-77", "Aoi", "n77", "2003"]
)
def test_a_person_is_found_by_the_beginnings_of_words(text: str) -> None:
    words, asked = words_of(read(PERSON)), words_asked(text)
    assert asked
    assert all(any(word.startswith(one) for word in words) for one in asked)


def test_premises_are_found_by_the_postcode_with_and_without_its_space() -> None:
    words = words_of(read({**PREMISES, "uprn": "1"}))
    assert {"ts1", "1aa", "ts11aa", "tullaroop"} <= set(words)


def test_single_letters_are_not_searched_for() -> None:
    assert words_asked("a . 1 $") == []
    assert words_asked("a smith") == ["smith"]


def test_changes_replace_what_they_name_and_null_takes_an_optional_field_away() -> None:
    before = subject(PERSON)
    after = before.changed(SubjectChanges.model_validate({"names": [LEGAL], "external_ref": None}), NOW)
    assert (after.version, after.label) == (2, "Aoife O'Neill")
    assert after.body.external_ref is None
    assert after.body.identifiers == before.body.identifiers  # type: ignore[union-attr]
    assert after.etag != before.etag


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [({"uprn": "1"}, ("/uprn", "unknown_field")), ({"team_id": None}, ("/team_id", "wrong_type"))],
)
def test_a_change_keeps_to_the_kind(changes: dict[str, Any], wrong: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        subject(PERSON).changed(SubjectChanges.model_validate(changes), NOW)
    assert wrong in {(error.pointer, error.code) for error in refused.value.errors}


def test_only_an_own_team_may_be_named_and_nobody_is_born_tomorrow() -> None:
    body = read({**PERSON, "born": {"date": "2026-11-25", "precision": "day"}})
    assert isinstance(body, PersonBody)
    with pytest.raises(Invalid) as refused:
        check_entered(body, ("south",), date(2026, 11, 24))
    assert {error.pointer for error in refused.value.errors} == {"/team_id", "/born/date"}
    check_entered(body, ("north",), date(2026, 11, 25))


def test_a_team_is_a_wall_inside_its_agency() -> None:
    assert subject(PERSON).kept_by("police", ("north",))
    assert not subject(PERSON).kept_by("police", ("south",))
    assert not subject(PERSON).kept_by("council", ("north",))
