"""The page, its files, and answers, behind the gate."""

import asyncio
import json
import math
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
import tornado.web

from ...simulator.errors import InputError, MusimError
from ..wording import as_options
from .answers import ANSWERS, Answers
from .gate import OWN, Handler, Pass
from .queries import AbandonedError, Query
from .watching import ChangedError, VanishedError

TYPES = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
"""Files that are served, by their ending."""

MOST_BODY = 2**20
"""Bytes of a request that changes something."""

TYPE_HEADER = "X-Musim-Array"
"""Says of raw numbers what they are: their type and shape, such as ``float32 32,64,64``."""


class PageHandler(Handler):
    """Serves the files of the page, by names that were listed at the start: no path leads out."""

    def initialize(self, **parts: Any) -> None:
        """Take what is let in, and the files by their names (``front``)."""
        super().initialize(**parts)
        self.front: Mapping[str, Traversable] = parts["front"]

    def is_let_in(self) -> bool:
        """Return whether the token is shown; the address may show it too."""
        return self.brings_token() or super().is_let_in()

    def brings_token(self) -> bool:
        """Return whether the address of the page shows the token."""
        return self.request.path == "/" and self.granted.is_shown(
            self.get_query_argument("token", "")
        )

    def get(self, name: str) -> None:
        """Answer with a file; the token goes out of the address and into a cookie."""
        if self.brings_token():
            self.set_cookie(
                self.granted.cookie, self.granted.token, httponly=True, samesite="Strict", path="/"
            )
            if self.asked_by in OWN:
                self.redirect("/")
            else:  # browsers keep the cookie back from where a foreign page's link leads
                self.set_header("Content-Type", "text/html; charset=utf-8")
                self.finish('<!doctype html><meta http-equiv="refresh" content="0;url=/">')
            return
        file = self.front.get(name or "index.html")
        if file is None:
            raise tornado.web.HTTPError(404)
        kind = TYPES[file.name.rpartition(".")[2]]
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.finish(file.read_bytes())


class AnswerHandler(Handler):
    """Answers what the page asks, in threads: while one reads, others are answered."""

    def initialize(self, **parts: Any) -> None:
        """Take what is let in, who answers (``answers``), and where (``pool``)."""
        super().initialize(**parts)
        self.answers: Answers = parts["answers"]
        self.pool: ThreadPoolExecutor = parts["pool"]
        self.abandoned = threading.Event()

    def on_connection_close(self) -> None:
        """Stop reading for whoever has left."""
        self.abandoned.set()

    async def get(self, name: str) -> None:
        """Answer with JSON, or with raw little-endian numbers."""
        if name not in ANSWERS:
            raise tornado.web.HTTPError(404)
        given = {key: self.get_query_argument(key) for key in self.request.query_arguments}
        query = Query(given, self.abandoned)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self.pool, ANSWERS[name], self.answers, query)
        except AbandonedError:
            return
        except MusimError as error:
            self.say(_status_of(error), as_options(str(error)))
            return
        if isinstance(found, np.ndarray):
            plain = np.ascontiguousarray(found, found.dtype.newbyteorder("<"))
            self.set_header("Content-Type", "application/octet-stream")
            shape = ",".join(str(n) for n in plain.shape)
            self.set_header(TYPE_HEADER, f"{plain.dtype.name} {shape}")
            self.finish(plain.tobytes())
        else:
            self.set_header("Content-Type", "application/json; charset=utf-8")
            self.finish(json.dumps(_plain(found), allow_nan=False))


class ChangeHandler(AnswerHandler):
    """Changes units as a page of ours asks for; there is none where nothing is curated."""

    async def get(self, name: str) -> None:
        """Refuse: what changes something is not asked for by following a link."""
        raise tornado.web.HTTPError(405)

    async def post(self, name: str) -> None:
        """Answer with how far curation has come."""
        body = self.request.body
        try:
            plain = json.loads(body) if len(body) <= MOST_BODY else None
        except (ValueError, RecursionError):
            plain = None
        if plain is None:
            self.say(400, f"found no JSON of {MOST_BODY} bytes at most, wanted a change")
            return
        loop = asyncio.get_running_loop()
        try:
            told = await loop.run_in_executor(self.pool, self.answers.change, name, plain)
        except MusimError as error:
            self.say(_status_of(error), as_options(str(error)))
            return
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(_plain(told), allow_nan=False))


def _status_of(error: MusimError) -> int:
    """Return the status that tells the page what to do about an error."""
    if isinstance(error, VanishedError):
        return 410
    if isinstance(error, ChangedError):
        return 409
    return 400 if isinstance(error, InputError) else 500


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: numbers that are not finite are not known."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def front_files() -> dict[str, Traversable]:
    """Return the page's files by the names under which they are served."""
    found: dict[str, Traversable] = {}
    folders = [("", files(__package__ or "") / "front")]
    while folders:
        prefix, folder = folders.pop()
        for entry in folder.iterdir():
            if entry.is_dir():
                folders.append((f"{prefix}{entry.name}/", entry))
            elif entry.name.rpartition(".")[2] in TYPES:
                found[prefix + entry.name] = entry
    return found


def application(
    granted: Pass, answers: Answers, pool: ThreadPoolExecutor, changing: ThreadPoolExecutor
) -> tornado.web.Application:
    """Return the application of a server: the page, and what it asks for."""
    served = {"granted": granted, "answers": answers, "pool": pool}
    changes = (r"/api/(edit|undo|redo|save)", ChangeHandler, {**served, "pool": changing})
    return tornado.web.Application(
        [
            *([] if answers.session is None else [changes]),
            (r"/api/([a-z]+)", AnswerHandler, served),
            (r"/(.*)", PageHandler, {"granted": granted, "front": front_files()}),
        ],
        log_function=lambda handler: None,
        default_handler_class=Handler,
        default_handler_args={"granted": granted},
    )  # fmt: skip
