"""Methods of `audit`. Which part of the log a caller may read is judged there."""

from __future__ import annotations

from .permit import CASEWORKERS, EVERYBODY, Permit

_EVERYBODY = Permit(EVERYBODY)

PERMITS = {
    "list_entries": _EVERYBODY,
    "get_entry": _EVERYBODY,
    "get_proof": _EVERYBODY,
    "latest_checkpoint": _EVERYBODY,
    "get_consistency": _EVERYBODY,
    "list_keys": _EVERYBODY,
    "export_entries": Permit(frozenset({"agency_dpo", "partnership_dpo"})),
    "list_own_consultations": Permit(EVERYBODY, before=True),
    "list_case_consultations": Permit(CASEWORKERS, level="own"),
}
