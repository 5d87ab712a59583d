"""An agency's identity provider for tests: a real one in a process of its own, and one that lies.

`RealProvider` is `oidc-provider-mock` (Authlib's server side, over HTTP) with one client, whose secret it
checks. `HostileProvider` answers in this process what a test tells it to, and checks PKCE and the client's
secret itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from deploy.launcher import ports
from tests.waiting import until

CALLBACK = "http://127.0.0.1:8000/log-in/callback"


class RealProvider:
    """`with RealProvider() as provider`: its issuer, its client, and people who sign in there."""

    def __init__(self, callback: str = CALLBACK) -> None:
        self.port = ports.free()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._callback = callback
        self.client_id = self.client_secret = ""

    def __enter__(self) -> RealProvider:
        command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock"]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port), "--require-registration", "true", "--require-nonce", "true"],
            env={**os.environ, "NO_COLOR": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._is_up, seconds=30)
        told = self._http("POST", "/oauth2/clients", json={"redirect_uris": [self._callback]}).json()
        self.client_id, self.client_secret = told["client_id"], told["client_secret"]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def person(self, subject: str, **claims: Any) -> None:
        self._http("PUT", f"/users/{subject}", json=claims).raise_for_status()

    def sign_in(self, url: str, subject: str) -> dict[str, str]:
        """As a browser at the provider's page would: what it is sent back with."""
        answer = httpx.post(url, data={"sub": subject}, timeout=10, trust_env=False)
        assert answer.status_code == 302, answer.text[:300]
        return query(answer.headers["location"])

    def _is_up(self) -> bool:
        try:
            return self._http("GET", "/.well-known/openid-configuration").status_code == 200
        except (httpx.HTTPError, urllib.error.URLError):
            return False

    def _http(self, method: str, path: str, **more: Any) -> httpx.Response:
        return httpx.request(method, f"{self.issuer}{path}", timeout=5, trust_env=False, **more)


class HostileProvider:
    """`with HostileProvider() as provider`: it signs what `claims` and `sign` make of the true ones.

    `asked` has the paths of all requests. `before`: what happens before a token is given.
    """

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.client_id, self.client_secret = "concordat", "the-secret-of-concordat"
        self.claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda given: given
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.metadata: dict[str, Any] = {}
        self.before: Callable[[], object] = lambda: None
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.refused: list[str] = []

    def __enter__(self) -> HostileProvider:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._answer(self, None)

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                provider._answer(self, self.rfile.read(length).decode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        # What is remembered of one issuer must not be found under the next that has the same port.
        self._path = f"/{uuid.uuid4().hex}"
        self.issuer = f"http://127.0.0.1:{self._server.server_port}{self._path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def sign_in(self, url: str, subject: str, **claims: Any) -> dict[str, str]:
        """The browser comes, is believed to be `subject`, and goes back."""
        given = query(url)
        code = base64.urlsafe_b64encode(os.urandom(18)).decode()
        self.codes[code] = {**given, "subject": subject, "claims": json.dumps(claims)}
        return {"code": code, "state": given["state"]}

    def _answer(self, handler: BaseHTTPRequestHandler, body: str | None) -> None:
        path = urlsplit(handler.path).path.removeprefix(self._path)
        self.asked.append(path)
        status, said = self._said(path, handler, body)
        data = json.dumps(said).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _said(self, path: str, handler: BaseHTTPRequestHandler, body: str | None) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            places = {name: f"{self.issuer}/{name}" for name in names}
            return 200, {"issuer": self.issuer, **places, **self.metadata}
        if path == "/jwks_uri":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path == "/token_endpoint" and body is not None:
            return self._token(handler.headers.get("authorization", ""), query(f"?{body}"))
        return 404, {}

    def _token(self, authorization: str, given: dict[str, str]) -> tuple[int, Any]:
        known = self.codes.pop(given.get("code", ""), None)
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        proof = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        if known is None or authorization != f"Basic {basic}":
            self.refused.append("code or client")
            return 400, {"error": "invalid_grant"}
        if known["code_challenge"] != challenge or known["code_challenge_method"] != "S256":
            self.refused.append("pkce")
            return 400, {"error": "invalid_grant"}
        self.before()
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": known["subject"],
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": known["nonce"],
            **json.loads(known["claims"]),
        }
        id_token = self.sign(self.claims(claims))
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": id_token}


def query(url: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
