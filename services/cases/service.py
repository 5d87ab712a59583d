"""What is known: subjects, cases, entries, tasks, and which of it a reader may see."""

from __future__ import annotations


class CasesService:
    """What is known."""

    name = "cases"
