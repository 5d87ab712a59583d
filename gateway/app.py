"""The gateway's composition root. Nothing happens at import; the routes are in `routes.py`.

`gunicorn -c gateway/server.py` serves it.
"""

from __future__ import annotations

from collections.abc import Mapping

import falcon
import falcon.asgi

from gateway import lifetime, problems
from gateway.asking import Asking
from gateway.changes import LiveChanges
from gateway.documents import asyncapi, openapi
from gateway.middleware.requests import Requests
from gateway.middleware.services import Services
from gateway.probing import Probing
from gateway.resources.devices import Enrolments
from gateway.resources.documents import Document
from gateway.resources.echo import Changes, Mirror, Note, Sayings
from gateway.resources.export import Exports
from gateway.resources.health import Live, Metrics, Ready
from gateway.resources.previews import Previews
from gateway.resources.scim import Scim
from gateway.resources.searches import Searches
from gateway.resources.sessions import Activations, LogInChallenges, LogIns
from gateway.resources.statements import Statements
from gateway.resources.stream import Streams
from gateway.resources.table import Responder, Table
from gateway.routes import PREFIX, ROUTES
from gateway.settings import GatewaySettings
from gateway.web.routes import add_pages
from services.chassis import logs, tracing
from services.chassis.aio import AsyncCalls

App = falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response]


def create_app(settings: GatewaySettings | None = None) -> App:
    """Return the ASGI application; it connects to the broker when the server starts it."""
    settings = settings or GatewaySettings()
    logs.configure(settings.service, settings.instance, settings.log_level)
    tracing.configure(settings.service, settings.otlp_endpoint)
    calls = AsyncCalls(
        settings.rabbitmq_urls,
        settings.service,
        settings.keys_dir,
        patience=settings.call_timeout,
        heartbeat=settings.heartbeat,
        label=f"gateway-{settings.instance}",
        deadlines="no_deadline" not in settings.faults,
    )
    asking = Asking(calls, settings.sessions(), Probing(settings.case_404s))
    changes = LiveChanges(calls, lifetime.ending)
    app: App = falcon.asgi.App()
    app.req_options.strip_url_path_trailing_slash = False
    app.add_middleware(Requests(settings.call_timeout, secure=settings.secure))
    app.add_middleware(Services(calls, changes))
    problems.install(app)
    app.add_route("/livez", Live())
    app.add_route("/readyz", Ready(calls))
    app.add_route("/metrics", Metrics())
    app.add_route("/openapi.json", Document(openapi.document))
    app.add_route("/asyncapi.json", Document(asyncapi.document))
    _add_api(app, asking, changes, settings)
    add_pages(app, asking, changes)
    if settings.echo:
        _add_echo(app, calls, settings.body_limit)
    return app


def _add_api(app: App, asking: Asking, changes: LiveChanges, settings: GatewaySettings) -> None:
    limit = settings.body_limit
    streams = Streams(asking, changes, most=settings.streams, each=settings.streams_each)
    specials: dict[str, Mapping[str, Responder]] = {
        "/sessions": {"POST": LogIns(asking, limit).on_post},
        "/sessions/challenges": {"POST": LogInChallenges(asking, limit).on_post},
        "/activations": {"POST": Activations(asking, limit).on_post},
        "/devices/enrolments": {"POST": Enrolments(asking, limit).on_post},
        "/searches": {"POST": Searches(asking, limit).on_post},
        "/cases/{case_id}/shares/preview": {"POST": Previews(asking, limit).on_post},
        "/stream": {"GET": streams.on_get},
        "/audit/export": {"GET": Exports(asking).on_get},
        "/audit/statements/{statement_id}": {"GET": Statements(asking).on_get},
    }
    specials |= _scim(asking, limit)
    for route in ROUTES:
        app.add_route(route.path, Table(route, asking, limit, specials.get(route.path.removeprefix(PREFIX))))


def _scim(asking: Asking, limit: int) -> dict[str, Mapping[str, Responder]]:
    scim = Scim(asking, limit)
    return {
        "/scim/v2/Users": {"GET": scim.on_list, "POST": scim.on_create},
        "/scim/v2/Users/{person_id}": {
            "GET": scim.on_get,
            "PUT": scim.on_put,
            "PATCH": scim.on_patch,
            "DELETE": scim.on_delete,
        },
        "/scim/v2/ServiceProviderConfig": {"GET": scim.on_config},
        "/scim/v2/ResourceTypes": {"GET": scim.on_resource_types},
        "/scim/v2/Schemas": {"GET": scim.on_schemas},
    }


def _add_echo(app: App, calls: AsyncCalls, body_limit: int) -> None:
    """The proving ground: no case data, but the whole path, to be tried and measured."""
    app.add_route("/api/v1/echo/sayings", Sayings(calls, body_limit))
    app.add_route("/api/v1/echo/notes/{note_id}", Note(calls))
    app.add_route("/api/v1/echo/notes/{note_id}/changes", Changes(calls, body_limit))
    app.add_route("/api/v1/echo/notes/{note_id}/mirror", Mirror(calls))
