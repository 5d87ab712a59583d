"""What brings the identity half of sharing's database up to date."""

from __future__ import annotations

from services.chassis.migrations import Step
from services.chassis.outbox import STEPS as COMMAND_STEPS
from services.sharing.stores import (
    agencies,
    attempts,
    clients,
    devices,
    identities,
    identity_providers,
    kept,
    passkeys,
    people,
    protocols,
    standing,
    teams,
)

STEPS = (
    *COMMAND_STEPS,
    Step("agencies_indexes", agencies.make_indexes),
    Step("protocols_indexes", protocols.make_indexes),
    Step("users_indexes", people.make_indexes),
    Step("teams_indexes", teams.make_indexes),
    Step("clients_indexes", clients.make_indexes),
    Step("failures_indexes", attempts.make_indexes),
    Step("standing", standing.begin),
    *devices.STEPS,
    *kept.STEPS,
    *identity_providers.STEPS,
    *identities.STEPS,
    *passkeys.STEPS,
)
