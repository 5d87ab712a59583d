"""JSON Schemas of the bodies, as OpenAPI 3.1 has them under `components/schemas`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from services.contracts.views import View

_PLACE = "#/components/schemas/"
_PREFIXES = ("services__contracts__", "gateway__")
Schema = dict[str, Any]


class Schemas:
    """Every model of the API by one name each. `of` refers to one; `components` has them all.

    Replies are described as they are read (mode "validation"): their fields that were not set are absent.
    """

    def __init__(self, models: Iterable[Any]) -> None:
        self._models = tuple(dict.fromkeys(models))
        inputs = [(model, "validation", TypeAdapter(model).core_schema) for model in self._models]
        refs, found = GenerateJsonSchema(by_alias=True, ref_template=_PLACE + "{model}").generate_definitions(
            inputs  # type: ignore[arg-type]
        )
        self._refs = {model: _renamed(refs[(model, "validation")]) for model in self._models}
        self.components: Schema = {_short(name): _renamed(schema) for name, schema in sorted(found.items())}
        for schema in self.components.values():
            _without_headers(schema)

    def of(self, model: Any) -> Schema:
        """The schema of a body: a reference, or a choice of some."""
        return dict(self._refs[model])


def parameter(model: type[BaseModel], field: str) -> Schema:
    """The schema of one field, which is a simple one, as a query parameter's or a header's."""
    schema = model.model_json_schema(by_alias=False)
    found = dict(schema["properties"][field])
    found.pop("title", None)
    choices = [choice for choice in found.pop("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) == 1:
        found.update(choices[0])
    if found.get("default", 0) is None:
        del found["default"]  # absent is not null
    if "$ref" in str(found):
        raise TypeError(f"{model.__name__}.{field} is no simple parameter")
    return found


def _without_headers(schema: Schema) -> None:
    """Of a view, nested ones too: what it holds for headers is not in the body."""
    properties = schema.get("properties", {})
    if View.model_fields.keys() <= properties.keys():
        for name in View.model_fields:
            del properties[name]


def _short(name: str) -> str:
    """Models of one name in two modules have the module's name before theirs."""
    for prefix in _PREFIXES:
        name = name.replace(prefix, "")
    return name.replace("__", ".")


def _renamed(schema: Any) -> Any:
    """Without titles, which repeat names, and defaults: a field that is absent from a PATCH changes nothing,
    and one that is absent from an answer is not granted or not known."""
    if isinstance(schema, str):
        return _reference(schema) if schema.startswith(_PLACE) else schema
    if isinstance(schema, list):
        return [_renamed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _renamed(item) for name, item in value.items()}
        if key == "properties"
        else _renamed(value)
        for key, value in schema.items()
        if key not in ("title", "default")
    }


def _reference(ref: str) -> str:
    return _PLACE + _short(ref.removeprefix(_PLACE))
