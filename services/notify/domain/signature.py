"""Standard Webhooks (standardwebhooks.com, specification 1.0): how a receiver knows that a push is ours."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime

from standardwebhooks.webhooks import Webhook

from services.contracts.envelope import MEDIA_TYPE

SECRET_BYTES = 32
_PREFIX = "whsec_"


def secret_of(raw: bytes) -> str:
    """A secret as its receiver is given it, once."""
    return _PREFIX + base64.b64encode(raw).decode()


def headers(secret: str, event_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The headers of one push. However often an event is sent, its id is the same: receivers dedupe by it."""
    return {
        "content-type": MEDIA_TYPE,
        "user-agent": "Concordat-Webhooks/1",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, now, body.decode()),
    }
