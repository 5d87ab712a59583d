"""Who may see what: agencies, protocols, people, procedures, sessions, ownership and grants."""

from __future__ import annotations


class SharingService:
    """Who may see what."""

    name = "sharing"
