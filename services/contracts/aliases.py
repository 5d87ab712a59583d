"""Fields that have another name in JSON, as that is a word of Python's: `since` here is `from` there."""

from __future__ import annotations

from pydantic import ConfigDict

from .messages import Reply, Request


class AliasedRequest(Request):
    """May be made by either name; in JSON by the alias."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_alias=True, validate_by_name=True)


class AliasedReply(Reply):
    """May be made by either name; in JSON by the alias."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_alias=True, validate_by_name=True)
