"""A format whose reader does what libraries in C do on damaged bytes."""

import os
import signal
import sys
import time

import numpy as np

from musim.datasets.importing.files import File, VariableInfo


class HostileFile(File):
    """What stands behind the mark and the place happens there: `HOSTILE read abort`."""

    format, suffixes, guarded = "hostile", (".hostile",), True
    libraries = ("colorsys",)

    @classmethod
    def recognises(cls, content):
        return content.starts_with(b"HOSTILE")

    @classmethod
    def confirms(cls, path):
        cls._happen("confirm", path)
        return True

    def _list(self):
        self._happen("list", self.path)
        # The process that reads it, for tests to look at.
        yield VariableInfo(
            "x",
            (4, 3),
            np.dtype("f4"),
            {"process": os.getpid(), "loaded": "colorsys" in sys.modules},
        )

    def _read(self, info, slices):
        self._happen("read", self.path)
        return np.arange(12, dtype="f4").reshape(4, 3)[slices]

    @staticmethod
    def _happen(place, path):
        _, where, what = path.read_text().split()
        if where != place:
            return
        if what == "loop":
            while True:
                pass
        if what == "sleep":
            time.sleep(60)
        if what == "memory":
            np.ones(1 << 34, np.uint8)
        if what.startswith("SIG"):
            os.kill(os.getpid(), signal.Signals[what])
