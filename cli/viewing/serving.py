"""The server of the viewer: begun on this machine, ended by Ctrl-C."""

import asyncio
import errno
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import tornado.httpserver

from ...simulator.errors import InputError
from .answers import Answers
from .curating import Session
from .gate import Pass
from .handlers import application
from .shown import Shown

ADDRESS = "127.0.0.1"
THREADS = 2
READER = "musim-view"
"""Beginning of the names of threads that read."""

PATIENCE = 0.5
"""Seconds that they have to end."""

CHANGING = 2
"""Threads for changes and for saving, which take long: others look on meanwhile."""


def bound(port: int) -> socket.socket:
    """Return a socket that listens on this machine alone.

    Parameters
    ----------
    port : int
        0 takes one that is free.

    Raises
    ------
    InputError
        If the port is taken, or is not one that a user may take.
    """
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it lets two servers have one port
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((ADDRESS, port))
        one.listen()
        one.setblocking(False)
    except OSError as error:
        one.close()
        taken = error.errno == errno.EADDRINUSE
        found = "is in use" if taken else f"cannot be used ({error.strerror})"
        raise InputError(
            f"port {port}: {found}, wanted a free one; choose another `port`, or none for any"
        ) from error
    return one


async def serve(
    shown: Shown,
    listening: socket.socket,
    on_start: Callable[[str], None],
    until: asyncio.Event,
    session: Session | None = None,
) -> None:
    """Serve the viewer until it is told to end.

    Parameters
    ----------
    shown : Shown
    listening : socket
        Of :func:`bound`.
    on_start : callable
        Is given the address, with its token, once it is served.
    until : asyncio.Event
        Set when it is to end.
    session : Session, optional
        Of curation, if units are to be changed.
    """
    granted = Pass()
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix=READER)
    with ThreadPoolExecutor(CHANGING, thread_name_prefix="musim-curate") as changing:
        answers = Answers(shown, session)
        server = tornado.httpserver.HTTPServer(application(granted, answers, pool, changing))
        server.add_socket(listening)
        port = listening.getsockname()[1]
        try:
            on_start(f"http://{ADDRESS}:{port}/?token={granted.token}")
            pool.submit(answers.prepare)
            await until.wait()
        finally:
            server.stop()
            await server.close_all_connections()
            if session is not None:
                session.end()
            pool.shutdown(wait=False, cancel_futures=True)
            changing.shutdown(wait=False, cancel_futures=True)


def run(
    shown: Shown, port: int, on_start: Callable[[str], None], session: Session | None = None
) -> None:
    """Serve the viewer until Ctrl-C.

    Raises
    ------
    InputError
        If the port cannot be used.
    """
    listening = bound(port)

    async def until_told() -> None:
        until = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Elsewhere than on Unix the interrupt comes as an exception.
            with suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(number, until.set)
        await serve(shown, listening, on_start, until, session)

    with suppress(KeyboardInterrupt):
        asyncio.run(until_told())


def leave() -> None:
    """End the process if something is still read: nobody waits for it.

    Reading ends between blocks, but not while a kernel is compiled, which takes some seconds once
    on a machine.
    """
    deadline = time.monotonic() + PATIENCE
    readers = [thread for thread in threading.enumerate() if thread.name.startswith(READER)]
    for thread in readers:
        thread.join(max(deadline - time.monotonic(), 0))
    if any(thread.is_alive() for thread in readers):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def open_browser(address: str) -> bool:
    """Open the user's browser; return whether there is one that shows pages."""
    with suppress(webbrowser.Error, OSError):
        browser: Any = webbrowser.get()
        # In a terminal they would take its place, and read no scripts.
        if isinstance(browser, webbrowser.GenericBrowser) and not isinstance(
            browser, webbrowser.BackgroundBrowser
        ):
            return False
        return bool(browser.open(address))
    return False
