"""Methods of `audit`. Which part of the log a caller may read is judged there."""

from __future__ import annotations

from .permit import ANY_SCOPE, CASEWORKERS, EVERYBODY, OFFICERS, Permit

_EVERYBODY = Permit(EVERYBODY)
# Checkpoints and what is needed to check them name nobody: an agency's own program may be its witness.
_WITNESS = Permit(EVERYBODY, ANY_SCOPE)
_OFFICERS = Permit(OFFICERS)
_USAGE = Permit(frozenset({"agency_dpo", "partnership_dpo", "programme_manager", "governance_member"}))

PERMITS = {
    "list_entries": _EVERYBODY,
    "get_entry": _EVERYBODY,
    "get_proof": _EVERYBODY,
    "latest_checkpoint": _WITNESS,
    "get_consistency": _WITNESS,
    "list_keys": _WITNESS,
    "list_checkpoints": _WITNESS,
    "add_cosignature": Permit(
        frozenset({"agency_dpo", "partnership_dpo", "agency_admin", "system_operator"}), ANY_SCOPE
    ),
    "get_receipt": _EVERYBODY,
    "preview_statement": _OFFICERS,
    "issue_statement": _OFFICERS,
    "list_statements": _OFFICERS,
    "get_statement": _OFFICERS,
    "list_reviews": _OFFICERS,
    "decide_review": _OFFICERS,
    "get_usage": _USAGE,
    "export_entries": _OFFICERS,
    "list_own_consultations": Permit(EVERYBODY, before=True),
    "list_case_consultations": Permit(CASEWORKERS, level="own"),
}
