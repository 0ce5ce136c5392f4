"""What is sent to and from the processes that read files comes out as it went in."""

import json
import socket
import threading

import numpy as np
import pytest

from musim.datasets.importing import wire

VALUES = [
    None, True, 3, 1 << 70, -0.5, float("inf"), "m/s", "", "\udc80", (1, "a"), [2.5, None],
    {"units": "mm", "limits": np.array([1.0, 2.0])}, np.dtype(">f4"), np.float32(0.1), np.str_("a"),
    np.array(["depth", "time"]), np.array([b"ab", b""]), np.zeros((2, 0), "i2"), np.array([""]),
    3 + 4j, np.array([[1 + 2j]], "c8"), np.True_,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back(value):
    found = wire.from_json(json.loads(json.dumps(wire.to_json(value))))
    np.testing.assert_equal(found, value)
    assert type(found) is type(value) or type(value) is complex
    assert getattr(found, "dtype", None) == getattr(value, "dtype", None) or type(value) is complex


def test_what_is_no_value_is_not_sent_or_taken():
    for value in (object(), np.array([None]), np.array("2026-01-01", "M8[D]")):
        with pytest.raises(TypeError, match="numbers or text"):
            wire.to_json(value)
    with pytest.raises(ValueError, match="numbers or text"):
        wire.from_json({"array": "00" * 8, "of": "|O", "shape": [1]})


@pytest.fixture
def pair():
    """Two ends of a connection."""
    here, there = socket.socketpair()
    with here, there:
        yield here, there


@pytest.mark.parametrize("dtype", ["?", "u1", "<i2", "f4", "c16"])
@pytest.mark.parametrize("order", ["C", "F", "neither", "single"])
def test_arrays_come_back_in_their_order(dtype, order, pair):
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    values = {
        "C": values,
        "F": np.asfortranarray(values),
        "neither": values.transpose(1, 0, 2)[:, :, ::2],
        "single": values[0, 0, 0].reshape(()),
    }[order]
    sender = threading.Thread(target=wire.send_values, args=(pair[0], values))
    sender.start()
    found = wire.receive_values(pair[1], values.dtype, values.shape)
    sender.join()
    assert found.dtype == values.dtype
    assert found.flags.writeable
    assert np.array_equal(found, values)
    assert found.flags.f_contiguous == (order in {"F", "single"})


def test_another_array_than_was_asked_for_is_not_taken(pair):
    wire.send_values(pair[0], np.zeros((2, 3), "f4"))
    with pytest.raises(ValueError, match="another type or shape"):
        wire.receive_values(pair[1], np.dtype("f4"), (3, 2))


def test_messages_that_are_too_long_or_cut_short_are_not_taken(pair):
    pair[0].sendall((1 << 60).to_bytes(8, "little"))
    with pytest.raises(ValueError, match="at most"):
        wire.receive(pair[1])
    pair[0].sendall((9).to_bytes(8, "little") + b"[1, 2")
    pair[0].close()
    with pytest.raises(EOFError, match="gone"):
        wire.receive(pair[1])
