"""Methods of `notify`."""

from __future__ import annotations

from .permit import EVERYBODY, Permit

_EVERYBODY = Permit(EVERYBODY)
_SUBSCRIBER = Permit(frozenset({"agency_admin"}), frozenset({"subscriptions"}))

PERMITS = {
    "create_subscription": _SUBSCRIBER,
    "list_subscriptions": _SUBSCRIBER,
    "get_subscription": _SUBSCRIBER,
    "patch_subscription": _SUBSCRIBER,
    "delete_subscription": _SUBSCRIBER,
    "list_deliveries": _SUBSCRIBER,
    "send_again": _SUBSCRIBER,
    "list_inbox": _EVERYBODY,
    "count_unread": Permit(EVERYBODY, quiet=True),
    "mark_item": _EVERYBODY,
    "mark_read": _EVERYBODY,
    "stream_items": Permit(EVERYBODY, frozenset({"cases:read"}), quiet=True),
}
