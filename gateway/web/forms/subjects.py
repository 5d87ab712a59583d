"""The questions about a person, family, premises or place, and the request that the answers make."""

from __future__ import annotations

from typing import Any

from gateway.web import words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from services.contracts.cases.subjects import SubjectBody

KINDS = tuple((code, words.word("kind", code)) for code in ("person", "family", "premises", "place"))
_SCHEMES = (("", "None"), ("nhs", "NHS number"), ("pnc", "PNC id"), ("cro", "CRO number"), ("upn", "UPN"),
            ("nino", "National Insurance number"), ("other", "Another number"))  # fmt: skip

SUBJECT_FIELDS = (
    Field("team_id", "Entered for the team", "select"),
    Field("given", "Given names", pointer="/names/0/given", limit=120),
    Field("family", "Family name", pointer="/names/0/family", limit=120),
    Field("born", "Date of birth", "day", pointer="/born", hint="Leave it empty if it is not known"),
    Field("scheme", "Identifier", "select", pointer="/identifiers/0/scheme", options=_SCHEMES),
    Field("value", "Identifier's value", pointer="/identifiers/0/value", limit=64, width=20),
    Field("name", "Name", pointer="/name", limit=120),
    Field("lines", "Address", "area", pointer="/address/lines", limit=720, rows=3, hint="One line each"),
    Field("postcode", "Postcode", pointer="/address/postcode", width=10, limit=10),
    Field("uprn", "UPRN", width=10, limit=12, hint="Leave it empty if it is not known"),
    Field(
        "latitude",
        "Latitude",
        pointer="/geometry/coordinates/1",
        width=10,
        limit=20,
        hint="For example 54.574",
    ),
    Field(
        "longitude",
        "Longitude",
        pointer="/geometry/coordinates",
        width=10,
        limit=20,
        hint="For example -1.235",
    ),
)


def subject_body(form: Form) -> SubjectBody:
    """What the form says. Raises NotRight."""
    return form.request(SubjectBody, subject_values(form))


def subject_values(form: Form) -> dict[str, Any]:
    """The body of `POST /subjects`; what is missing is said in the form."""
    kind = form.text("kind") or "person"
    body: dict[str, Any] = {"kind": kind, "team_id": form.text("team_id")}
    if not body["team_id"]:
        form.wrong("team_id", "You are in no team, so nothing can be entered for one")
    if kind == "person":
        _person(form, body)
    elif kind == "premises":
        lines = [line.strip() for line in form.text("lines").split("\n") if line.strip()]
        if not lines:
            form.wrong("lines", "Enter the address")
        if not form.text("postcode"):
            form.wrong("postcode", "Enter the postcode")
        body["address"] = {"lines": lines, "postcode": form.text("postcode")}
        if uprn := form.text("uprn"):
            body["uprn"] = uprn
    else:
        if not form.text("name"):
            form.wrong("name", "Enter the name")
        body["name"] = form.text("name")
        if kind == "place":
            found = [_degrees(form, name) for name in ("longitude", "latitude")]
            body["geometry"] = {"type": "Point", "coordinates": found}
    return body


def _person(form: Form, body: dict[str, Any]) -> None:
    if not form.text("given") and not form.text("family"):
        form.wrong("given", "Enter at least one name")
    body["names"] = [{"given": form.text("given"), "family": form.text("family"), "type": "legal"}]
    if (born := form.day("born")) is not None:
        body["born"] = {"date": born.isoformat(), "precision": "day"}
    if scheme := form.text("scheme"):
        if not form.text("value"):
            form.wrong("value", "Enter the identifier's value")
        body["identifiers"] = [{"scheme": scheme, "value": form.text("value")}]


def _degrees(form: Form, name: str) -> float | None:
    try:
        return float(form.text(name))
    except ValueError:
        form.wrong(name, f"Enter the {name} in degrees, like {'54.574' if name == 'latitude' else '-1.235'}")
        return None
