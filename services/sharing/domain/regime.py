"""Under which law a recipient holds what it is given: DPA 2018 Part 3, or UK GDPR with Part 2."""

from __future__ import annotations

import re

from services.contracts.sharing.shares import Regime
from services.contracts.vocabulary import AgencyType

COMPETENT: frozenset[AgencyType] = frozenset({"police", "probation", "community_rehabilitation_company"})
"""Competent authorities (DPA 2018 s30 and Schedule 7): the police, and providers of probation services."""

# The purposes of DPA 2018 s31, as protocols name them: prevention, investigation, detection or prosecution of
# offences, execution of penalties, threats to public security; and the statutes that are about those.
_LAW_ENFORCEMENT = re.compile(
    r"crim|offen[cd]|prosecut|investigat|detect|prevent|enforce|polic|public_security|penalt|disorder"
    r"|(?:^|_)(?:asb|iom|mappa|cda|anti_social_behaviour)(?:_|$)"
)


def regime_of(recipient: AgencyType, purpose: str | None) -> Regime:
    """Part 3 for a competent authority that is given it for law enforcement; else UK GDPR.

    `purpose` is the protocol's code. None: its own case, which such an authority keeps for its own task.
    """
    if recipient not in COMPETENT:
        return "uk_gdpr"
    if purpose is None or _LAW_ENFORCEMENT.search(re.sub(r"[^a-z0-9]+", "_", purpose.casefold())):
        return "part3"
    return "uk_gdpr"
