"""gunicorn's own settings. Everything that an operator sets is in the environment (`concordat settings`)."""

import os
from typing import Any

wsgi_app = "gateway.app:create_app()"
worker_class = "asgi"
workers = 1  # one process, one set of metrics and one pair of broker connections: scale by processes
bind = f"{os.environ.get('CONCORDAT_HTTP_HOST', '127.0.0.1')}:{os.environ.get('CONCORDAT_HTTP_PORT', '8000')}"
timeout = 30
graceful_timeout = 8
keepalive = 30
max_requests = 0
limit_request_line = 4094
limit_request_fields = 64
accesslog = None  # a path may name a case; our own logs and metrics have the route's template instead
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
asgi_lifespan = "on"
server_software = "concordat"


def post_worker_init(worker: Any) -> None:
    from gateway import lifetime

    lifetime.watch(worker)
