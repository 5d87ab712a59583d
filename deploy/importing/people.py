"""`concordat import people`: rows as persons of one team.

Columns (in any order; spelt in any case)
    external_id | rec_id               required: what the other system calls the person
    given_name | given | first_name    one of the names may be empty
    family_name | family | surname | last_name
    alias_given_name, alias_family_name
    date_of_birth | born | dob         YYYY, YYYY-MM, YYYY-MM-DD or YYYYMMDD
    nhs, pnc, cro, upn, nino           checked by the API
    other_id | soc_sec_id              any other number
    street_number, address_1, address_2, suburb, postcode, state
                                       may be there and are not loaded: an address is a premises of its own
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from deploy.importing.tables import Cells, Kind, RowProblem

_SCHEMES = ("nhs", "pnc", "cro", "upn", "nino", "other")
_COLUMNS = {
    "external_id": "reference",
    "rec_id": "reference",
    "given_name": "given",
    "given": "given",
    "first_name": "given",
    "family_name": "family",
    "family": "family",
    "surname": "family",
    "last_name": "family",
    "alias_given_name": "alias_given",
    "alias_family_name": "alias_family",
    "date_of_birth": "born",
    "born": "born",
    "dob": "born",
    "nhs": "nhs",
    "pnc": "pnc",
    "cro": "cro",
    "upn": "upn",
    "nino": "nino",
    "other_id": "other",
    "soc_sec_id": "other",
}
_NOT_LOADED = frozenset({"street_number", "address_1", "address_2", "suburb", "postcode", "state"})
_DATE = re.compile(r"([0-9]{4})(?:-?([0-9]{2})(?:-?([0-9]{2}))?)?")


def people(team_id: str, system: str) -> Kind:
    """Persons of this team; `system` is where their references come from."""

    def body(fields: Cells) -> dict[str, Any]:
        found: dict[str, Any] = {
            "kind": "person",
            "names": _names(fields),
            "team_id": team_id,
            "external_ref": {"system": system, "id": fields["reference"]},
        }
        if "born" in fields:
            found["born"] = _born(fields["born"])
        if identifiers := [{"scheme": one, "value": fields[one]} for one in _SCHEMES if one in fields]:
            found["identifiers"] = identifiers
        return found

    return Kind("/subjects", _COLUMNS, "reference", body, _NOT_LOADED)


def _names(fields: Cells) -> list[dict[str, str]]:
    legal = {"given": fields.get("given", ""), "family": fields.get("family", ""), "type": "legal"}
    if not legal["given"] and not legal["family"]:
        raise RowProblem("required", "/names/0", "There is no name.")
    names = [legal]
    if "alias_given" in fields or "alias_family" in fields:
        alias = {"given": fields.get("alias_given", ""), "family": fields.get("alias_family", "")}
        names.append({**alias, "type": "alias"})
    return names


def _born(text: str) -> dict[str, str]:
    match = _DATE.fullmatch(text)
    if match is None:
        raise RowProblem("wrong_form", "/born/date", "This is no date: YYYY-MM-DD.")
    year, month, day = match.groups()
    try:
        found = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise RowProblem("wrong_form", "/born/date", "There is no such day.") from None
    return {"date": found.isoformat(), "precision": "day" if day else "month" if month else "year"}
