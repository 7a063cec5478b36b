"""A small OpenID Connect issuer on this machine: everybody may sign in, with a press of a button."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT, AUDIENCE, SUBJECT = "pages", "tickets", "auth0|ana"
KEY = {"kid": "k1", "alg": "RS256", "use": "sig"}


class Issuer:
    """`grants` are those that pages have asked for, and `lifetime` is that of a token, in seconds. What is not as a
    public client has to ask (RFC 7636) is refused.
    """

    def __init__(self) -> None:
        self.grants: list[str] = []
        self.lifetime = 3600
        self.renews = True
        self._private = rsa.generate_private_key(65537, 2048)
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"issuer": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def described(self) -> dict[str, Any]:
        ends = {
            name: f"{self.url}/{name}" for name in ("authorization_endpoint", "token_endpoint", "end_session_endpoint")
        }
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **ends}

    def keys(self) -> dict[str, Any]:
        return {"keys": [{**json.loads(RSAAlgorithm.to_jwk(self._private.public_key())), **KEY}]}

    def page(self, asked: dict[str, str]) -> str:
        """Where somebody says yes or no."""
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        state = {"state": asked["state"], "iss": self.url}
        yes, no = (
            f"{asked['redirect_uri']}?{urlencode({**answer, **state})}"
            for answer in ({"code": code}, {"error": "access_denied"})
        )
        links = f'<a href="{yes}">Yes, it is me</a> <a href="{no}">No</a>'
        return f"<!doctype html><html lang=en><title>Login</title><link rel=icon href=data:,>{links}".replace(
            "&", "&amp;"
        )

    def tokens(self, asked: dict[str, str]) -> dict[str, Any] | None:
        """None for what is refused. A code and a token that renews are good once."""
        self.grants.append(asked["grant_type"])
        if asked["grant_type"] == "refresh_token":
            is_good = self.renews and secrets.compare_digest(asked["refresh_token"], self._refresh)
        else:
            begun = self._codes.pop(asked["code"], {})
            digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            is_good = (begun.get("code_challenge"), begun.get("redirect_uri")) == (challenge, asked["redirect_uri"])
        if not is_good or asked["client_id"] != CLIENT:
            return None
        self._refresh = secrets.token_urlsafe()
        now = int(time.time())
        claims = {"iss": self.url, "sub": SUBJECT, "iat": now, "exp": now + self.lifetime}
        access, known = (
            jwt.encode({**claims, "aud": audience}, self._private, "RS256", KEY) for audience in (AUDIENCE, CLIENT)
        )
        return {"access_token": access, "id_token": known, "refresh_token": self._refresh, "token_type": "Bearer"}


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                self._answer(200, json.dumps(self.issuer.described()))
            case "/keys":
                self._answer(200, json.dumps(self.issuer.keys()))
            case "/authorization_endpoint":
                self._answer(200, self.issuer.page(asked), "text/html")
            case "/end_session_endpoint":
                assert asked["client_id"] == CLIENT and jwt.decode(
                    asked["id_token_hint"], options={"verify_signature": False}
                )
                self._answer(303, "", location=asked["post_logout_redirect_uri"])
            case _:
                self._answer(404, "")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        told = self.issuer.tokens({name: values[0] for name, values in parse_qs(body).items()})
        self._answer(200 if told else 400, json.dumps(told or {"error": "invalid_grant"}))

    def _answer(self, status: int, body: str, kind: str = "application/json", location: str = "") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("access-control-allow-origin", "*")
        if location:
            self.send_header("location", location)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())
