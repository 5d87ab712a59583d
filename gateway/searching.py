"""What `POST /searches` takes, and whom it asks: free text travels in a body, never in a URL."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from services.contracts.cases.cases import SearchCases
from services.contracts.cases.subjects import SearchSubjects
from services.contracts.messages import Id, Request
from services.contracts.paging import Cursor, Limit
from services.contracts.parsing import parse
from services.contracts.sharing.directory import SearchDirectory
from services.contracts.vocabulary import SubjectKind

Where = Literal["directory", "cases", "subjects"]


class SearchBody(Request):
    """`in` says where: the directory, the cases that one may see, subjects. `kind` goes with subjects."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    where: Where = Field(alias="in")
    text: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    agency_id: Id | None = None
    kind: SubjectKind | None = None
    limit: Limit = 25
    cursor: Cursor | None = None

    def asked(self) -> tuple[str, str, Request]:
        """Service, method and request. Raises Invalid for a field that does not go with `in`."""
        service, method, model = ASKED[self.where]
        given = self.model_dump(mode="json", exclude_unset=True, exclude_none=True, by_alias=False)
        return service, method, parse(model, {k: v for k, v in given.items() if k != "where"})


ASKED: dict[Where, tuple[str, str, type[Request]]] = {
    "directory": ("sharing", "search_directory", SearchDirectory),
    "cases": ("cases", "search_cases", SearchCases),
    "subjects": ("cases", "search_subjects", SearchSubjects),
}
