"""Methods of `cases`."""

from __future__ import annotations

from .permit import CASEWORKERS, READ, TASKWORKERS, WRITE, Permit

PERMITS = {
    "create_case": Permit(CASEWORKERS, WRITE),
    "list_cases": Permit(CASEWORKERS, READ),
    "search_cases": Permit(CASEWORKERS, READ),
    "get_case": Permit(CASEWORKERS, READ, level="know"),
    "patch_case": Permit(CASEWORKERS, WRITE, level="manage"),
    "move_case": Permit(CASEWORKERS, WRITE, level="manage"),
    "put_case_subject": Permit(CASEWORKERS, WRITE, level="manage"),
    "remove_case_subject": Permit(CASEWORKERS, WRITE, level="manage"),
    "preview_case": Permit(CASEWORKERS, level="own"),
    "add_entry": Permit(CASEWORKERS, WRITE, level="contribute"),
    "list_entries": Permit(CASEWORKERS, READ, level="read"),
    "get_entry": Permit(CASEWORKERS, READ, level="read"),
    "revise_entry": Permit(CASEWORKERS, WRITE, level="contribute"),
    "withdraw_entry": Permit(CASEWORKERS, WRITE, level="contribute"),
    "add_task": Permit(CASEWORKERS, WRITE, level="contribute"),
    "list_tasks": Permit(TASKWORKERS, READ, level="task"),
    "get_task": Permit(TASKWORKERS, READ, level="task"),
    "change_task": Permit(TASKWORKERS, WRITE, level="task"),
    "my_tasks": Permit(TASKWORKERS),
    "create_subject": Permit(CASEWORKERS, WRITE),
    "list_subjects": Permit(CASEWORKERS, READ),
    "search_subjects": Permit(CASEWORKERS, READ),
    "get_subject": Permit(CASEWORKERS, READ),
    "patch_subject": Permit(CASEWORKERS, WRITE),
    "get_chronology": Permit(CASEWORKERS, READ),
    "create_link": Permit(CASEWORKERS, WRITE),
    "list_links": Permit(CASEWORKERS, READ),
    "patch_link": Permit(CASEWORKERS, WRITE),
    "delete_link": Permit(CASEWORKERS, WRITE),
}
