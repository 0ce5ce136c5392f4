"""What runs in the processes that read foreign files: see :mod:`.reading_processes`.

One process is started, imports what reads files and opens none. It makes a copy of itself (a fork)
for each file: that takes milliseconds, and what one file breaks is gone with its copy.
"""

import importlib
import math
import os
import resource
import signal
import socket
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import MusimError
from .damage import damage
from .files import File, VariableInfo, open_with
from .wire import receive, send, send_values, to_json


def main(handle: int) -> None:
    """Start a process for each file that is asked for, until the one that asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is told to those who asked
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # crashes are expected here
    warnings.simplefilter("ignore")
    control = socket.socket(fileno=handle)
    while True:
        word, handles, _, _ = socket.recv_fds(control, 1, 1)
        if not word:
            return
        message = receive(control)
        if word == b"w":
            status = None
            with suppress(ChildProcessError):  # another server's, which was ended
                status = os.waitstatus_to_exitcode(os.waitpid(message["process"], 0)[1])
            send(control, {"status": status})
            continue
        for name in message["readers"]:
            # The copies need not import it again. What goes wrong here goes wrong there too.
            with suppress(Exception):
                for library in _reader(name).libraries:
                    importlib.import_module(library)
        process = os.fork()
        if process == 0:
            control.close()
            _serve_and_end(socket.socket(fileno=handles[0]))
        os.close(handles[0])
        send(control, {"process": process})


def _serve_and_end(connection: socket.socket) -> None:
    try:
        with suppress(EOFError, OSError):
            _serve(connection)
    finally:
        os._exit(0)  # nothing of the first process's is put in order here


def _serve(connection: socket.socket) -> None:
    """Answer questions about one file."""
    file: File | None = None
    while True:
        request = receive(connection)
        values: NDArray[Any] | None = None
        try:
            _limit(request["memory"], request["seconds"])
            if file is None:
                file = _open(request)
                answer: Any = _outline(file)
            elif request["what"] == "read":
                answer, values = None, _read(file, request)
            else:
                answer = _tell(file, request)
            reply = {"answer": to_json(answer)}
        except MusimError as error:
            reply = {"refused": str(error)}
        except BaseException as error:
            reply = {"raised": f"{type(error).__name__}: {error}"[:1000]}
        send(connection, reply)
        if values is not None:
            send_values(connection, values)


def _open(request: Mapping[str, Any]) -> File:
    path = Path(request["path"])
    if request["folder"]:
        os.chdir(request["folder"])
    readers = [_reader(name) for name in request["readers"]]
    return open_with(path, readers)


def _outline(file: File) -> dict[str, Any]:
    """Return what is the same for all variables, and all that is known of each."""
    with damage(file.path):
        infos = [_facts(info) for info in file._stored_by_name().values()]
    return {
        "format": file.format,
        "suffixes": file.suffixes,
        "column_major": file.column_major,
        "drops_last_axes": file.drops_last_axes,
        "variables": infos,
    }


def _facts(info: VariableInfo) -> dict[str, Any]:
    return {field.name: _sendable(getattr(info, field.name)) for field in fields(info)}


def _tell(file: File, request: Mapping[str, Any]) -> Any:
    name = request["name"]
    with damage(file.path, name):
        if request["what"] == "unlisted":
            info = file._unlisted(name)
            return info and _facts(info)
        if request["what"] == "text":
            return file._text(file.info(name))
        if request["what"] == "attribute":
            return file._attribute(name, request["attribute"])
        return _sendable(file._attributes())


def _read(file: File, request: Mapping[str, Any]) -> NDArray[Any]:
    with damage(file.path, request["name"]):
        info = file._stored_info(request["name"])
        if info is None:
            raise KeyError(request["name"])
        piece = np.asarray(file._read(info, tuple(slice(*ends) for ends in request["slices"])))
        return piece.astype(info.dtype, order="K", copy=False)


def _sendable(value: Any) -> Any:
    """Return a value without those attributes that are neither numbers nor texts."""
    if not isinstance(value, Mapping):
        return value
    kept = {}
    for key, item in value.items():
        with suppress(TypeError, ValueError):
            to_json(item)
            kept[key] = item
    return kept


def _reader(name: str) -> type[File]:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _limit(memory: int, seconds: float) -> None:
    """Allow as much more memory, in bytes, and as many more seconds of the processor."""
    _set_limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + seconds))
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # not Linux: nothing says how much there is already
        return
    _set_limit(resource.RLIMIT_AS, pages * resource.getpagesize() + memory)


def _set_limit(kind: int, soft: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
