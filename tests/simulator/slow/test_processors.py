"""The same seed gives the same bytes on another processor."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# NumPy's names of what it uses beyond AVX2, old and new; it passes over those it does not know.
WIDE = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"

PROGRAM = """
import hashlib
import numpy as np
from musim.simulator import Parameters, Range, draw, render
settings = [
    {},
    {"relaxation_ratio": Range(1.05, 1.05)},
    {"relaxation_ratio": Range(1.2, 2.5), "doublets": Range(0.1, 0.1)},
    {"territory": "ellipse", "mask": "soft"},
    {"territory": "fibres", "mask": "soft"},
    {"waveform": ((0.0, 0.0), (0.03, 2.0), (0.1, -1.0), (0.2, 0.0))},
]
for values in settings:
    digest = hashlib.sha256()
    for index in range(10):
        truth = draw(Parameters(frames=60, **values), index=index)
        for name, value in sorted(vars(truth).items()):
            array = np.asarray(value)  # of objects, bytes are places in memory
            digest.update(repr(value).encode() if array.dtype == object else array.tobytes())
        digest.update(render(truth))
    print(values, digest.hexdigest())
"""


def _digests(**environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def own():
    """What this processor makes."""
    found = _digests()
    assert len(found) == 6
    return found


@pytest.mark.parametrize(
    "environment",
    [{"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}, {"NPY_DISABLE_CPU_FEATURES": WIDE}],
    ids=["kernels", "numpy"],
)
def test_the_same_seed_gives_the_same_bytes_on_an_older_processor(tmp_path, own, environment):
    if "NUMBA_CPU_NAME" in environment:
        environment = environment | {"NUMBA_CACHE_DIR": str(tmp_path)}  # compiled anew
    assert _digests(**environment) == own
