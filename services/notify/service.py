"""Who must be told: inbox, subscriptions, deliveries, live streams."""

from __future__ import annotations


class NotifyService:
    """Who must be told."""

    name = "notify"
