"""What is answered to a SCIM client: resources, lists, errors, and what this server can do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.contracts.errors import ConcordatError

MEDIA_TYPE = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
MOST = 100
Body = dict[str, Any]


class ScimRefusal(Exception):
    """What SCIM itself has a word for (RFC 7644, section 3.12)."""

    def __init__(self, status: int, detail: str, scim_type: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.scim_type = status, detail, scim_type


def user(found: Mapping[str, Any], base: str) -> Body:
    return {
        "schemas": [USER],
        "id": found["id"],
        **({"externalId": found["external_id"]} if found.get("external_id") else {}),
        "userName": found["username"],
        "name": {"formatted": found["name"]},
        "displayName": found["name"],
        "active": found["active"],
        "emails": [{"value": found["email"]}],
        "meta": {
            "resourceType": "User",
            "created": found["created_at"],
            "lastModified": found["updated_at"],
            "location": f"{base}/Users/{found['id']}",
            "version": f'"{found["version"]}"',
        },
    }


def page(resources: Sequence[Body], total: int, start: int) -> Body:
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }


def refused(problem: ConcordatError | ScimRefusal, request_id: str) -> tuple[int, bytes]:
    """Status and body. `code` and `request_id` are ours, for whoever asks us about it."""
    if isinstance(problem, ScimRefusal):
        status, detail, kind, code = problem.status, problem.detail, problem.scim_type, None
    else:
        status, kind = _status(problem)
        code, detail = problem.public_code, type(problem).title
        if problem.errors:
            detail = "; ".join(f"{one.pointer}: {one.detail}" for one in problem.errors)
    body: Body = {"schemas": [ERROR], "status": str(status), "detail": detail, "request_id": request_id}
    body |= {"scimType": kind} if kind else {}
    body |= {"code": code} if code else {}
    return status, json.dumps(body).encode()


def _status(problem: ConcordatError) -> tuple[int, str | None]:
    """SCIM has no 422: what can be read but is not right is 400, unless somebody else has it already."""
    if problem.status == 422:
        taken = any(one.code == "taken" for one in problem.errors)
        return (409, "uniqueness") if taken else (400, "invalidValue")
    return problem.status, "invalidSyntax" if problem.status == 400 else None


def config(base: str) -> Body:
    no: Body = {"supported": False}
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": {**no, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST},
        "changePassword": no,
        "sort": no,
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "The token that an administrator was shown when the system was registered.",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> Body:
    one = {
        "schemas": [_RESOURCE_TYPE],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "A person of the agency who was invited. Nobody is made here.",
        "schema": USER,
        "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/User"},
    }
    return page([one], 1, 1)


def schemas(base: str) -> Body:
    attributes = [
        _attribute("userName", "Who is meant, among all of this system.", required=True, uniqueness="server"),
        _attribute("displayName", "As the administrator wrote it."),
        {
            **_attribute("name", "As displayName."),
            "type": "complex",
            "subAttributes": [_attribute("formatted", "As displayName.")],
        },
        {
            **_attribute("emails", "As the administrator wrote it."),
            "type": "complex",
            "multiValued": True,
            "subAttributes": [_attribute("value", "The address.")],
        },
        {
            **_attribute(
                "active", "False: the account is disabled and every session has ended.", "readWrite"
            ),
            "type": "boolean",
        },
    ]
    one = {
        "schemas": [_SCHEMA],
        "id": USER,
        "name": "User",
        "description": "A person of the agency. What is read-only is ignored when it is sent.",
        "attributes": attributes,
        "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{USER}"},
    }
    return page([one], 1, 1)


def _attribute(
    name: str,
    description: str,
    mutability: str = "readOnly",
    *,
    required: bool = False,
    uniqueness: str = "none",
) -> Body:
    return {
        "name": name,
        "type": "string",
        "multiValued": False,
        "description": description,
        "required": required,
        "caseExact": False,
        "mutability": mutability,
        "returned": "default",
        "uniqueness": uniqueness,
    }
