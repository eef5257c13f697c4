"""Who may ask: the one who has the token, from this machine, from this very page.

A page on another site can make a browser send requests here. It does not know the token, which is the first part of
every path; a name that was pointed at this machine afterwards (DNS rebinding) is not among the hosts; and what changes
anything is a POST whose Origin is this server's.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

__all__ = ["HEADERS", "LOOPBACK", "Guard", "new_token"]

LOOPBACK = "127.0.0.1"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # the token is in the path; with none at all, a form's Origin would be null
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def new_token() -> str:
    """192 random bits that can stand in a path."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Guard:
    """Lets requests through to ``app``, without the token in their path, or answers them itself."""

    app: App
    token: str
    port: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        if refusal := self._refusal(scope):
            await _say(send, *refusal)
            return
        root = f"/{self.token}"
        inner = {**scope, "path": scope["path"][len(root) :], "root_path": ""}
        await self.app(inner, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Why a request is not let through; None where it is."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        hosts = {f"{name}:{self.port}" for name in (LOOPBACK, "localhost")}
        if headers.get("host") not in hosts:
            return 421, "This page is only for this machine."
        _, first, *rest = scope["path"].split("/", 2) if scope["path"].startswith("/") else ["", ""]
        if not hmac.compare_digest(first.encode(), self.token.encode()) or not rest:
            return 404, "Not here. Open the whole address that 'hardneg review' printed."
        if scope["method"] in ("GET", "HEAD"):
            return None
        if scope["method"] != "POST":
            return 405, "Only GET and POST are known here."
        if headers.get("origin") not in {f"http://{host}" for host in hosts}:
            return 403, "This must come from the page itself."
        return None


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            added = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in there]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return sending


async def _say(send: Send, status: int, words: str) -> None:
    sending = _with_headers(send)
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await sending({"type": "http.response.start", "status": status, "headers": headers})
    await sending({"type": "http.response.body", "body": f"{words}\n".encode()})
