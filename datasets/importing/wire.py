"""Messages between this process and those that read foreign files: JSON, and bytes as they are.

Nothing is pickled: what comes back was read from bytes that may be hostile, and is taken for values
and nothing else.
"""

import json
import socket
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 1 << 28
"""Bytes of the longest text that is taken as a message; values are sent beside it."""

_LENGTH = struct.Struct("<Q")
_NUMBERS_AND_TEXTS = "biufcSU"


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Send a message of what JSON holds."""
    text = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(text)) + text)


def receive(connection: socket.socket) -> dict[str, Any]:
    """Return the next message.

    Raises
    ------
    EOFError
        If the other side is gone.
    ValueError
        If it is no message.
    """
    (length,) = _LENGTH.unpack(_bytes(connection, _LENGTH.size))
    if length > LONGEST:
        raise ValueError(f"found an answer of {length} bytes, wanted {LONGEST} at most")
    message = json.loads(_bytes(connection, length))
    if not isinstance(message, dict):
        raise ValueError("found no message")
    return message


def send_values(connection: socket.socket, values: NDArray[Any]) -> None:
    """Send an array of numbers: its layout in memory, then its bytes."""
    fortran = values.flags.f_contiguous and not values.flags.c_contiguous
    lying = values.T if fortran else np.ascontiguousarray(values)
    order = "F" if fortran else "C"
    send(connection, {"dtype": values.dtype.str, "shape": values.shape, "order": order})
    connection.sendall(lying.reshape(-1).view(np.uint8).data)


def receive_values(
    connection: socket.socket, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Return an array of numbers, which must be of a type and shape.

    Raises
    ------
    EOFError
        If the other side is gone.
    ValueError
        If it is another array.
    """
    told = receive(connection)
    if told.get("dtype") != dtype.str or tuple(told.get("shape", ())) != shape:
        raise ValueError(f"found an answer of another type or shape, wanted {dtype} of {shape}")
    values = np.empty(shape, dtype, "F" if told.get("order") == "F" else "C")
    lying = values.T if values.flags.f_contiguous else values
    _fill(connection, lying.reshape(-1).view(np.uint8).data)
    return values


def to_json(value: Any) -> Any:
    """Return a value as JSON holds it: numbers, texts, arrays, types, tuples and mappings.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.dtype):
        return {"dtype": value.str}
    if isinstance(value, Mapping):
        return {"mapping": [[str(key), to_json(item)] for key, item in value.items()]}
    if isinstance(value, tuple | list):
        return {type(value).__name__: [to_json(item) for item in value]}
    array = np.asarray(value)
    if array.dtype.kind not in _NUMBERS_AND_TEXTS:
        raise TypeError(f"found a value of {type(value).__name__}, wanted numbers or text")
    content = np.ascontiguousarray(array).tobytes().hex()
    return {"array": content, "of": array.dtype.str, "shape": array.shape}


def from_json(told: Any) -> Any:
    """Return what :func:`to_json` was given."""
    if not isinstance(told, dict):
        return told
    if "dtype" in told:
        return np.dtype(told["dtype"])
    if "mapping" in told:
        return {key: from_json(item) for key, item in told["mapping"]}
    for kind in (tuple, list):
        if kind.__name__ in told:
            return kind(from_json(item) for item in told[kind.__name__])
    dtype = np.dtype(told["of"])
    if dtype.kind not in _NUMBERS_AND_TEXTS:
        raise ValueError(f"found values of type {dtype}, wanted numbers or text")
    if not dtype.itemsize:  # empty texts have no bytes
        return np.zeros(told["shape"], dtype)[()]
    array = np.frombuffer(bytes.fromhex(told["array"]), dtype)
    return array.reshape(told["shape"]).copy()[()]


def _bytes(connection: socket.socket, count: int) -> bytearray:
    content = bytearray(count)
    _fill(connection, memoryview(content))
    return content


def _fill(connection: socket.socket, target: memoryview) -> None:
    filled = 0
    while filled < len(target):
        received = connection.recv_into(target[filled:])
        if not received:
            raise EOFError("the other side is gone")
        filled += received
