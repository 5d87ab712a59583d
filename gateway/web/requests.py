"""Requests made of what stands in a path or a query: what cannot be an id names nothing."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from services.contracts.errors import NotVisible
from services.contracts.parsing import refusal

Model = TypeVar("Model", bound=BaseModel)


def asked(model: type[Model], **values: Any) -> Model:
    """`model` of the values that are not None. Raises NotVisible for a wrong id, Invalid for a wrong code."""
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return model.model_validate(given)
    except ValidationError as problem:
        wrong = {str(item["loc"][0]) for item in problem.errors(include_url=False) if item["loc"]}
        if any(name.endswith("_id") for name in wrong):
            raise NotVisible from None
        raise refusal(problem) from None
