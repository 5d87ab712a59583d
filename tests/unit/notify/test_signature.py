"""Standard Webhooks: the vector that its reference implementations share, and its own verifier."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.notify.domain.signature import headers, secret_of


def test_the_vector_of_the_reference_implementations() -> None:
    made = headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        datetime.fromtimestamp(1614265330, UTC),
    )
    assert made["webhook-timestamp"] == "1614265330"
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_shown_with_its_prefix() -> None:
    assert secret_of(b"x" * 32) == "whsec_" + base64.b64encode(b"x" * 32).decode()


def test_a_receiver_verifies_and_notices_a_change() -> None:
    secret, body = secret_of(b"y" * 32), '{"a":1}'
    made = dict(headers(secret, "id-1", body.encode(), datetime.now(UTC)))
    assert Webhook(secret).verify(body, made) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + " ", made)
