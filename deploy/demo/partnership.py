"""The invented people of the demonstration, in the eleven Cleveland bodies of R11 and those beside them.

Bodies are real kinds of bodies; every person, address and case is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

AREA = "Cleveland"


@dataclass(frozen=True, slots=True)
class Body:
    """An agency: how it is called here and there, what it is, how far it has come."""

    key: str
    name: str
    type: str
    area: str = AREA
    standing: str = "active"
    """`active`; `signed`: its protocol is signed and not yet active; `expired`: its protocol has ended."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user: `username` is the log-in, `team` the name of a team of the body."""

    username: str
    name: str
    body: str
    job_title: str
    roles: tuple[str, ...]
    team: str | None = None

    @property
    def email(self) -> str:
        return f"{self.username}@{self.body}.example"


BODIES = (
    Body("police", "Cleveland Police", "police"),
    Body("hartlepool", "Hartlepool Borough Council", "local_authority", "Hartlepool"),
    Body("stockton", "Stockton-on-Tees Borough Council", "local_authority", "Stockton-on-Tees"),
    Body("middlesbrough", "Middlesbrough Council", "local_authority", "Middlesbrough"),
    Body("redcar", "Redcar and Cleveland Borough Council", "local_authority", "Redcar and Cleveland"),
    Body("thirteen", "Thirteen Housing", "housing_association"),
    Body("coast", "Coast and Country Housing", "housing_association", "Redcar and Cleveland"),
    Body("accent", "Accent Housing", "housing_association", standing="signed"),
    Body("northstar", "North Star Housing", "housing_association", standing="expired"),
    Body("fire", "Cleveland Fire and Rescue", "fire_and_rescue"),
    Body("nhs", "Tees, Esk and Wear Valleys NHS Trust", "nhs_trust"),
    Body("opcc", "Office of the Police and Crime Commissioner for Cleveland", "policing_body"),
    Body("harbour", "Harbour Light Victim Care", "vcse"),
)

TEAMS: dict[str, tuple[str, ...]] = {
    "police": ("Stockton Neighbourhood Policing", "Victim Care Unit"),
    "thirteen": ("Tenancy Enforcement", "Lettings"),
    "hartlepool": ("Community Safety",),
    "stockton": ("Community Safety", "Adult Services"),
    "middlesbrough": ("Community Safety",),
    "redcar": ("Community Safety",),
    "coast": ("Neighbourhoods",),
    "accent": ("Neighbourhoods",),
    "northstar": ("Neighbourhoods",),
    "fire": ("Home Safety",),
    "nhs": ("Liaison and Diversion",),
    "opcc": ("Commissioner's Office",),
    "harbour": ("Caseworkers",),
}

PEOPLE: tuple[Person, ...] = (
    Person("p.marsh", "Priya Marsh", "police", "Police Constable", ("practitioner",), TEAMS["police"][0]),
    Person("d.okoro", "Daniel Okoro", "police", "Police Sergeant", ("supervisor",), TEAMS["police"][0]),
    Person("l.beck", "Lena Beck", "police", "Victim Care Officer", ("practitioner",), TEAMS["police"][1]),
    Person("a.tull", "Agnes Tull", "police", "Systems Administrator", ("agency_admin",)),
    Person("h.quaye", "Harriet Quaye", "police", "Data Protection Officer", ("agency_dpo",)),
    Person("j.foley", "Jonas Foley", "thirteen", "Housing Officer", ("practitioner",), TEAMS["thirteen"][0]),
    Person(
        "m.abara", "Miriam Abara", "thirteen", "Enforcement Officer", ("practitioner",), TEAMS["thirteen"][0]
    ),
    Person("c.lund", "Carl Lund", "thirteen", "Lettings Officer", ("practitioner",), TEAMS["thirteen"][1]),
    Person("e.vance", "Edie Vance", "thirteen", "Systems Administrator", ("agency_admin",)),
    Person("t.raman", "Tara Raman", "thirteen", "Data Protection Officer", ("agency_dpo",)),
    Person(
        "g.holt", "Gwen Holt", "hartlepool", "Community Safety Officer", ("practitioner",), "Community Safety"
    ),
    Person(
        "s.iqbal",
        "Samira Iqbal",
        "stockton",
        "Community Safety Officer",
        ("practitioner",),
        "Community Safety",
    ),
    Person("b.finch", "Ben Finch", "middlesbrough", "ASB Officer", ("practitioner",), "Community Safety"),
    Person("r.dale", "Rosa Dale", "redcar", "ASB Officer", ("practitioner",), "Community Safety"),
    Person("o.pike", "Owen Pike", "coast", "Neighbourhood Officer", ("practitioner",), "Neighbourhoods"),
    Person("n.stroud", "Nadia Stroud", "accent", "Neighbourhood Manager", ("agency_admin",)),
    Person("k.wynn", "Kit Wynn", "northstar", "Neighbourhood Manager", ("agency_admin",)),
    Person("f.moss", "Frank Moss", "fire", "Home Safety Officer", ("practitioner",), "Home Safety"),
    Person(
        "i.castle", "Ivy Castle", "nhs", "Liaison Practitioner", ("practitioner",), "Liaison and Diversion"
    ),
    Person("v.crane", "Vera Crane", "harbour", "Caseworker", ("practitioner",), "Caseworkers"),
    Person("w.adeyemi", "Wole Adeyemi", "opcc", "Partnership DPO", ("partnership_dpo",)),
    Person("y.north", "Yusuf North", "opcc", "Information Security Manager", ("security_manager",)),
    Person("x.hale", "Xenia Hale", "opcc", "Programme Manager", ("programme_manager",)),
    Person("u.bright", "Una Bright", "police", "Desk Officer", ("light_participant",), TEAMS["police"][0]),
)

_ADMINISTRATORS = (
    ("hartlepool", "Anders Pole"),
    ("stockton", "Bella Tees"),
    ("middlesbrough", "Colm Bridge"),
    ("redcar", "Dina Strand"),
    ("coast", "Eli Marram"),
    ("fire", "Hana Quench"),
    ("nhs", "Idris Weir"),
    ("opcc", "Jo Mandate"),
    ("harbour", "Kim Beacon"),
)

PEOPLE = (
    *PEOPLE,
    *(
        Person(f"admin.{body}", name, body, "Systems Administrator", ("agency_admin",))
        for body, name in _ADMINISTRATORS
    ),
)
"""Each agency's administrator makes its teams and invites its people."""

OPERATOR = Person("operator", "Olive Sandford", "operator", "Service Operator", ("system_operator",))

_AUTHORITIES = [
    "police",
    "local_authority",
    "housing_association",
    "fire_and_rescue",
    "nhs_trust",
    "probation",
    "community_rehabilitation_company",
    "policing_body",
]
_EVERYBODY = [*_AUTHORITIES, "vcse"]

# Crime and Disorder Act 1998 s115 runs to a relevant authority: a charity needs another gateway.
_S115 = {
    "code": "cda1998_s115",
    "name": "Crime and Disorder Act 1998, section 115",
    "recipient_types": _AUTHORITIES,
}
_CONSENT = {"code": "consent", "name": "Explicit consent of the data subject", "recipient_types": _EVERYBODY}
_SAFEGUARDING = {
    "code": "dpa2018_sch1_18",
    "name": "DPA 2018 Schedule 1 paragraph 18 (safeguarding)",
    "recipient_types": _EVERYBODY,
}

PURPOSES = [
    {"code": "asb", "name": "Preventing anti-social behaviour", "legal_gateways": [_S115, _CONSENT]},
    {"code": "victims", "name": "Supporting victims", "legal_gateways": [_S115, _CONSENT, _SAFEGUARDING]},
    {"code": "safeguarding", "name": "Safeguarding people at risk", "legal_gateways": [_S115, _SAFEGUARDING]},
]


def protocol(title: str, parties: list[str], starts_on: date, ends_on: date) -> dict[str, Any]:
    """The body of POST /protocols."""
    return {
        "title": title,
        "parties": parties,
        "purposes": PURPOSES,
        "data_categories": ["identity and contact", "offences and allegations", "housing", "health, summary"],
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat(),
        "review_on": (ends_on - timedelta(days=30)).isoformat(),
        "spoc": {"name": "Xenia Hale", "email": "protocols@opcc.example"},
        "dpo": {"name": "Wole Adeyemi", "email": "dpo@opcc.example"},
    }


PROCEDURE = {
    "title": "Security Operating Procedure for the Concordat partnership system",
    "clauses": [
        {
            "no": "1",
            "heading": "Who may use the system",
            "text": "Only people who have been invited by their agency, in person, under an active information "
            "sharing protocol. A log-in is never lent, shared or left open.",
        },
        {
            "no": "2",
            "heading": "What it may be used for",
            "text": "Only the purposes of the protocol, for cases in which you have a part to play. Looking up "
            "yourself, your family, neighbours or anyone out of curiosity is misuse, and every look is recorded.",
        },
        {
            "no": "3",
            "heading": "Where it may be used",
            "text": "On devices and in places that your agency permits. Screens must not be overlooked; printing "
            "is for a meeting, carries the marking, and is shredded afterwards.",
        },
        {
            "no": "4",
            "heading": "Markings",
            "text": "Content is OFFICIAL. OFFICIAL-SENSITIVE is a handling caveat: the need-to-know rule applies "
            "to each person, and onward sharing goes through the owner of the case.",
        },
        {
            "no": "5",
            "heading": "Passwords and authenticators",
            "text": "A password of twelve characters or more which is used nowhere else, and an authenticator "
            "that is yours alone. Report a lost one at once.",
        },
        {
            "no": "6",
            "heading": "When something goes wrong",
            "text": "Tell your data protection officer at once, a near miss too: a wrong recipient, a lost "
            "device, a screen left open. Nobody is blamed for telling.",
        },
    ],
}
