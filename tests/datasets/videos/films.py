"""Small films, and tables of signals beside them, for tests."""

import subprocess

import numpy as np
import pytest

RATE = 25.0

FRAMES = np.random.default_rng(1).integers(0, 256, (40, 30, 44), np.uint8)
"""Speckle that no codec makes less of."""

SMOOTH = np.stack([
    np.add.outer(np.linspace(20, 120, 32), np.linspace(0, 100, 48)) + 2 * n for n in range(20)
]).astype(np.uint8)  # fmt: skip
"""What codecs keep within a few grey levels."""

TIMES = np.arange(1600) / 1000
SIGNALS = {
    "time": TIMES,
    "emg": 1e-3 * np.sin(2 * np.pi * 80 * TIMES),
    "torque": 5 * np.sin(TIMES),
    "angle": TIMES * 3 - 1,
}
"""Of :data:`FRAMES`, at 1000 Hz."""


def write_film(path, frames=FRAMES, codec="ffv1", pixels="gray", rate="25", more=()):
    """Write frames as ffmpeg does, without loss if the codec has none."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    kind = "rgb24" if frames.ndim == 4 else "gray"
    command = [
        ffmpeg, "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", kind, "-s",
        f"{frames.shape[2]}x{frames.shape[1]}", "-r", str(rate), "-i", "-", "-c:v", codec,
        "-pix_fmt", pixels, *more, str(path),
    ]  # fmt: skip
    subprocess.run(command, input=frames.tobytes(), check=True)
    return path


def write_table(path, columns, mark=","):
    """Write columns as a table."""
    rows = zip(*columns.values(), strict=True)
    lines = [mark.join(columns), *(mark.join(f"{value:.17g}" for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path
