"""What was seen: the log of every look and every change, and its proofs."""

from __future__ import annotations


class AuditService:
    """What was seen."""

    name = "audit"
