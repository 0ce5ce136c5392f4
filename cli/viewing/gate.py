"""Who may ask: only pages that this process served, on this machine, to who holds the token.

Browsers let any page send requests to any address. What keeps other pages out: the server listens
on this machine alone; every request shows the token, which a first visit turns into a cookie that
no script reads and no other site sends; the name in ``Host`` is this machine's, so that no foreign
name can be made to lead here (DNS rebinding); and an ``Origin``, where there is one, is our own, as
is what browsers say of the page that asks (``Sec-Fetch-Site``): those of other ports of this
machine send the cookie too.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import tornado.web

HOSTS = {"127.0.0.1", "localhost", "::1"}
"""Names of this machine; any port, for one may be led to another by ssh."""

OWN = {"none", "same-origin"}
"""What ``Sec-Fetch-Site`` says of our own pages and of what the user types."""

TOKEN_HEADER = "X-Musim-Token"
"""Shows the token in place of the cookie, for programs."""

CHANGE_HEADER = "X-Musim"
"""Is in every request that changes something; other sites cannot send it."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Pass:
    """What a server lets in.

    Parameters
    ----------
    token : str
        Nobody can guess it.
    cookie : str
        Name of the cookie that holds it: cookies of other ports of this machine come along too.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    cookie: str = field(default_factory=lambda: f"musim-{secrets.token_hex(4)}")

    def is_shown(self, text: str | None) -> bool:
        """Return whether a text is the token, in the same time whatever it is."""
        return hmac.compare_digest((text or "").encode(), self.token.encode())


class Handler(tornado.web.RequestHandler):
    """Answers requests that may be answered, and no others; everything else derives from it."""

    def initialize(self, **parts: Any) -> None:
        """Take what the server lets in (a :class:`Pass`, ``granted``); others take more parts."""
        self.granted: Pass = parts["granted"]

    def set_default_headers(self) -> None:
        """Tell browsers to keep what is served to themselves."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuse what does not come from a page of ours."""
        host = self.request.headers.get("Host", "")
        if _name_in(host) not in HOSTS:
            raise tornado.web.HTTPError(403, reason="Found a foreign Host")
        origin = self.request.headers.get("Origin")
        if origin is not None and origin != f"http://{host}":
            raise tornado.web.HTTPError(403, reason="Found a foreign Origin")
        if self.asked_by not in OWN and not self.brings_token():
            raise tornado.web.HTTPError(403, reason="Found a foreign page")
        if not self.is_let_in():
            raise tornado.web.HTTPError(403, reason="Found no token")
        if self.request.method not in {"GET", "HEAD"} and (
            origin is None or CHANGE_HEADER not in self.request.headers
        ):
            raise tornado.web.HTTPError(403, reason="Found no Origin")

    @property
    def asked_by(self) -> str:
        """Where the page that asks comes from, as browsers say it; ``none`` is the user's hand."""
        return self.request.headers.get("Sec-Fetch-Site", "none")

    def brings_token(self) -> bool:
        """Return whether the address itself shows the token, which is so of no address but one."""
        return False

    def is_let_in(self) -> bool:
        """Return whether the request shows the token."""
        shown = self.request.headers.get(TOKEN_HEADER) or self.get_cookie(self.granted.cookie)
        return self.granted.is_shown(shown)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with one line."""
        text = LINES.get(status_code, HTTPStatus(status_code).phrase)
        self.say(status_code, text)

    def say(self, status: int, text: str) -> None:
        """Answer with one line, and end."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps({"error": text}))


LINES = {
    400: "found a request that cannot be read, wanted one as the page of musim view asks",
    403: "found no right to see this, wanted the address that musim view printed, with its token",
    404: "found nothing here, wanted the address that musim view printed",
    405: "found another method than GET, wanted GET: stores are looked at, not changed",
}


def _name_in(host: str) -> str:
    """Return the name in a ``Host``, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
