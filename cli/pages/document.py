"""Whole pages: one HTML file each that opens from the disk, asks the network for nothing."""

import base64
import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from markupsafe import Markup

from .markup import colour_rules, element


def document(title: str, body: Markup) -> str:
    """Return a whole page.

    Its policy forbids everything that is not in it: no script runs but this one, known by its hash.

    Parameters
    ----------
    title : str
    body : Markup
        Elements of the body.
    """
    style, script = _asset("page.css") + colour_rules(), _asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src "
        f"'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="generator", content=f"musim {_version()}"),
        element("title", title),
        # An empty icon, so that no browser asks for one.
        element("link", rel="icon", href="data:,"),
        element("style", Markup(style)),
    )
    page = element("html", head, element("body", body, element("script", Markup(script))),
                   lang="en")  # fmt: skip
    return f"<!DOCTYPE html>\n{page}\n"


@cache
def _asset(name: str) -> str:
    """Return a file that stands beside this module."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _version() -> str:
    try:
        return version("musim")
    except PackageNotFoundError:
        return "unknown"


def section(name: str, title: str, *content: Any) -> Markup:
    """Return a part of a page under its heading."""
    heading = element("h2", title, id=f"{name}-title")
    return element("section", heading, *content, aria_labelledby=f"{name}-title")
