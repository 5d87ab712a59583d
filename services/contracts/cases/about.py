"""What of a case the bars of its readers hang on, which `cases` alone knows. No user or client may ask this.

cases.about_cases(GetAbout) -> AboutCases    query, asked by sharing when it explains an access; by sharing
                                             and audit where something may stand against a caller
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..bars import About
from ..messages import Id, Reply, Request
from ..vocabulary import Marking, Template


class GetAbout(Request):
    case_ids: Annotated[tuple[Id, ...], Field(max_length=200)]


class AboutCase(Reply):
    case_id: str
    use: Template
    marking: Marking


class AboutCases(Reply):
    """Those of the cases that there are."""

    items: tuple[AboutCase, ...]

    def by_case(self) -> dict[str, About]:
        """As the bars are asked of them."""
        return {one.case_id: About(one.use, one.marking) for one in self.items}
