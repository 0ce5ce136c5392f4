"""The curves of a run for TensorBoard, written row by row in the process that trains.

TensorBoard's own writer has a thread, in which a full disk ends with a traceback that nothing here
could catch, and loses what the thread still held.
"""

import os
import platform
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard.summary import scalar

protocol: Any = event_pb2  # made of its description when it is imported

EVENTS = "events.out.tfevents."
"""How names of the files begin; then comes a number, in whose order they are read."""


class Curves:
    """A new file of curves in a folder.

    Parameters
    ----------
    folder : Path
    first_step : int
        Steps from this one on, as far as earlier files have them, are taken back: they are made
        again. 0, if there are none.

    Raises
    ------
    OSError
        If it cannot be written.
    """

    def __init__(self, folder: Path, first_step: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # After all that are there, wherever the clock has been set to since.
        order = max([int(time.time()), *(number + 1 for number in _numbers(folder))])
        name = f"{EVENTS}{order:010d}.{platform.node()}.{os.getpid()}.{uuid4().hex[:8]}"
        self._file = (folder / name).open("xb")
        self._records = RecordWriter(self._file)
        self._write(protocol.Event(file_version="brain.Event:2"))
        if first_step:
            start = protocol.SessionLog(status=protocol.SessionLog.START)
            self._write(protocol.Event(step=first_step, session_log=start))
        self._file.flush()

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Add a point to each curve.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        for name, value in values.items():
            self._write(protocol.Event(step=step, summary=scalar(name, value)))
        self._file.flush()

    def close(self) -> None:
        """End the file; what could not be written was told when it was added."""
        with suppress(OSError):
            self._file.close()

    def _write(self, event: Any) -> None:
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())


def _numbers(folder: Path) -> list[int]:
    found = [re.match(rf"{re.escape(EVENTS)}(\d+)\.", path.name) for path in folder.iterdir()]
    return [int(match[1]) for match in found if match]
