"""The gateway's composition root and route table. Nothing happens at import.

`gunicorn -c gateway/server.py` serves it.
"""

from __future__ import annotations

import falcon
import falcon.asgi

from gateway import problems
from gateway.middleware.requests import Requests
from gateway.middleware.services import Services
from gateway.resources.echo import Changes, Mirror, Note, Sayings
from gateway.resources.health import Live, Metrics, Ready
from gateway.settings import GatewaySettings
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
    app: App = falcon.asgi.App()
    app.add_middleware(Requests(settings.call_timeout))
    app.add_middleware(Services(calls))
    problems.install(app)
    app.add_route("/livez", Live())
    app.add_route("/readyz", Ready(calls))
    app.add_route("/metrics", Metrics())
    if settings.echo:
        _add_echo(app, calls, settings.body_limit)
    return app


def _add_echo(app: App, calls: AsyncCalls, body_limit: int) -> None:
    """The proving ground: no case data, but the whole path, to be tried and measured."""
    app.add_route("/api/v1/echo/sayings", Sayings(calls, body_limit))
    app.add_route("/api/v1/echo/notes/{note_id}", Note(calls))
    app.add_route("/api/v1/echo/notes/{note_id}/changes", Changes(calls, body_limit))
    app.add_route("/api/v1/echo/notes/{note_id}/mirror", Mirror(calls))
