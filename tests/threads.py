"""Threads that make batches ahead, and when they end."""

import gc
import threading
import time


def readers():
    """Return the threads that make batches ahead of whoever uses them."""
    found = threading.enumerate()
    return [thread for thread in found if thread.name.startswith("musim-read-ahead")]


def assert_no_reader_stays(seconds=10):
    """Assert that none is left once nobody holds its loader; a moment later, it may be."""
    end = time.monotonic() + seconds
    while readers() and time.monotonic() < end:
        gc.collect()
        time.sleep(0.005)
    assert readers() == []
