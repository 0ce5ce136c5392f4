"""Measure velocimetry: its errors against their bound, and the imaging chain against SciPy.

``python -m benchmarks.velocimetry`` prints README.md's tables and draws ``velocimetry.png``.
"""

import argparse
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# One BLAS thread, for both sides alike.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import matplotlib.pyplot as plt
import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import ndimage, signal

from musim.simulator.imaging.chain import PRESETS, Axis, Imaging, block_length, run
from musim.simulator.imaging.filtering import BandPass
from musim.simulator.imaging.velocimetry import ESTIMATORS, Velocimetry, estimate_velocity

FIGURE = Path(__file__).with_name("velocimetry.png")

# What Ali et al. 2022 recorded: 40 mm deep at 2 kHz, with a probe of 5-14 MHz.
SOUND_SPEED = 1540.0
CENTRE = 7.7e6
FRAME_RATE = 2000.0
SNR = tuple(range(0, 41, 5))

# The chain's images: 40 x 40 mm.
DEPTHS, WIDTHS = 256, 128
DEPTH, WIDTH = (Axis(20 / n, 40 / n, n) for n in (DEPTHS, WIDTHS))


class Echoes:
    """Speckle of one velocity in a gate and an ensemble, as a Gaussian vector.

    Many scatterers in a resolution cell make samples of any depth z and time t jointly complex
    Gaussian. A pulse of Gaussian envelope (SD `pulse`) and centre frequency f, and tissue that
    moves by d between the two times, give the covariance

        exp(-(z - z' + d)^2 / (4 pulse^2) + i 4 pi f d / c),   d = v (t - t'),

    with the nominal carrier removed, to which white noise adds 1 / SNR on its diagonal.
    """

    pulse = 0.075  # mm: a relative bandwidth of half the centre frequency at -6 dB
    step = 0.1  # mm

    def __init__(self, velocity: float, share: float = 1.0):
        """Place samples for speckle of some velocity, mm/s, and share of the nominal frequency."""
        self.velocity, self.frequency = velocity, share * CENTRE
        self.settings = {
            name: Velocimetry(
                frame_rate=FRAME_RATE, centre_frequency=CENTRE, depth_step=self.step, estimator=name
            )
            for name in ESTIMATORS
        }
        self.images = self.settings["one-lag"].ensemble
        self.depths = self.settings["one-lag"].gate_samples
        time, depth = np.meshgrid(np.arange(self.images), np.arange(self.depths), indexing="ij")
        self.time, self.depth = time.ravel() / FRAME_RATE, depth.ravel() * self.step

    def covariance(self, velocity: float) -> NDArray[np.complex128]:
        """Return that of all samples, without noise, of power 1."""
        apart = self.depth[:, None] - self.depth
        moved = velocity * (self.time[:, None] - self.time)
        per_mm = 4e-3 * np.pi / SOUND_SPEED
        turned = per_mm * (self.frequency * moved + (self.frequency - CENTRE) * apart)
        return np.exp(-((apart + moved) ** 2) / (4 * self.pulse**2) + 1j * turned)

    def bound(self, snr: float) -> float:
        """Return the Cramer-Rao bound of the SD of velocity, mm/s.

        Of zero-mean Gaussian samples whose covariance C depends on v alone, the Fisher information
        is tr(C^-1 C' C^-1 C') (Stoica and Nehorai 1990, doi:10.1109/29.60109, stochastic signals;
        for echoes, Walker and Trahey 1995, doi:10.1109/58.365243). No unbiased estimator does
        better, not even one that knows the speckle's spectrum, which ours do not.
        """
        small = 1e-3
        both = [self.covariance(self.velocity + sign * small) for sign in (1, -1)]
        change = (both[0] - both[1]) / (2 * small)
        noisy = self.covariance(self.velocity) + 10 ** (-snr / 10) * np.eye(self.time.size)
        half = np.linalg.solve(noisy, change)
        return 1 / math.sqrt(np.trace(half @ half).real)

    def draw(self, snr: float, count: int, seed: int) -> NDArray[np.complex64]:
        """Return IQ images of shape (image, depth, count), each column of its own speckle."""
        random = np.random.default_rng(seed)
        values, vectors = np.linalg.eigh(self.covariance(self.velocity))
        root = vectors * np.sqrt(np.maximum(values, 0))
        normal = random.standard_normal((2, 2, self.time.size, count)) / math.sqrt(2)
        signal_part, noise = normal[0] + 1j * normal[1]
        iq = root @ signal_part + 10 ** (-snr / 20) * noise
        return iq.reshape(self.images, self.depths, count).astype(np.complex64)

    def errors(self, name: str, snr: float, count: int, seed: int) -> tuple[float, float]:
        """Return bias and SD of an estimator, mm/s, in the middle of gate and ensemble."""
        found = estimate_velocity(self.draw(snr, count, seed), self.settings[name])
        middle = found[self.images // 2 - 1, self.depths // 2].astype(np.float64)
        return float(middle.mean() - self.velocity), float(middle.std())


CASES = {
    "1 mm/s": Echoes(1.0),
    "40 mm/s": Echoes(40.0),
    "40 mm/s, frequency 10 % low": Echoes(40.0, 0.9),
}


def accuracy(count: int) -> list[str]:
    """(a): bias and spread of both estimators against the bound; draws the figure."""
    rows = [
        "| echoes | SNR, dB | one-lag: bias, mm/s | SD, mm/s | 2-D: bias, mm/s | SD, mm/s |"
        " bound of SD, mm/s | SD over bound, one-lag | 2-D |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    figure, panels = plt.subplots(
        1, len(CASES), figsize=(10.5, 4.0), sharey=True, layout="constrained"
    )
    colours = {"one-lag": "tab:orange", "2d-autocorrelation": "tab:blue"}
    for (title, echoes), panel in zip(CASES.items(), panels, strict=True):
        bounds = [echoes.bound(snr) for snr in SNR]
        found = {
            name: [echoes.errors(name, snr, count, seed) for seed, snr in enumerate(SNR)]
            for name in ("one-lag", "2d-autocorrelation")
        }
        for i, snr in enumerate(SNR):
            values = [value for name in found for value in found[name][i]]
            ratios = [found[name][i][1] / bounds[i] for name in found]
            cells = [*values, bounds[i], *ratios]
            rows.append(
                f"| {title} | {snr} | " + " | ".join(f"{cell:.3g}" for cell in cells) + " |"
            )
        panel.semilogy(SNR, bounds, color="black", label="Cramér-Rao bound of the SD")
        for name, errors in found.items():
            bias, spread = np.abs(np.array(errors)).T
            panel.semilogy(SNR, spread, "o-", ms=4, color=colours[name], label=f"{name}: SD")
            panel.semilogy(SNR, bias, ":", color=colours[name], label=f"{name}: |bias|")
        panel.set(title=title, xlabel="SNR, dB")
        panel.grid(alpha=0.3)
    # The bias of the mean of so many draws is known to a hundredth of its SD, no better.
    panels[0].set(ylabel="error of velocity, mm/s", ylim=(1e-3, 20))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    figure.savefig(FIGURE, dpi=100, metadata={"Software": None})
    plt.close(figure)
    return rows


def imaging() -> Imaging:
    """Return the preset fitted to the recording."""
    velocimetry = Velocimetry(frame_rate=FRAME_RATE, centre_frequency=CENTRE, depth_step=DEPTH.step)
    return Imaging(PRESETS["ali-2022"], DEPTH, WIDTH, FRAME_RATE, velocimetry)


def record(path: Path, frames: int) -> None:
    """Write complex64 IQ images: speckle that regions of tissue turn at 5-30 Hz, and noise."""
    random = np.random.default_rng(1)
    shape = (DEPTHS, WIDTHS)
    speckle = random.standard_normal((2, *shape))
    speckle = ndimage.gaussian_filter1d(speckle[0] + 1j * speckle[1], 0.5, axis=0)
    regions = ndimage.gaussian_filter(random.standard_normal((4, *shape)), (0, 20, 10))
    regions /= abs(regions).max()
    per_mm = 4e-3 * math.pi * CENTRE / SOUND_SPEED
    with path.open("wb") as file:
        for frame in range(frames):
            times = 2 * math.pi * np.array([5.0, 8.0, 13.0, 30.0]) * frame / FRAME_RATE
            moved = 0.01 * np.tensordot(np.sin(times), regions, 1)  # mm
            noise = 0.02 * random.standard_normal((*shape, 2), np.float32).view(np.complex64)
            image = speckle * np.exp(1j * per_mm * moved) + noise[..., 0]
            image.astype(np.complex64).tofile(file)


def read(path: Path, length: int) -> Iterator[NDArray[np.complex64]]:
    """Yield blocks of images."""
    with path.open("rb") as file:
        while len(block := np.fromfile(file, np.complex64, length * DEPTHS * WIDTHS)):
            yield block.reshape(-1, DEPTHS, WIDTHS)


def with_musim(path: Path, out: Path) -> None:
    """Run the chain in blocks of frames, into a file."""
    with out.open("wb") as file:
        for block in run(imaging(), read(path, block_length(DEPTHS * WIDTHS * 8))):
            block.tofile(file)


def with_scipy(path: Path, out: Path) -> None:
    """Run the same chain as whole-array calls of NumPy and SciPy, into a file.

    The steps are the preset's, with SciPy's own fast routine for each: box sums, ``sosfiltfilt`` of
    what is continued by straight lines until the filter has forgotten where it started,
    ``median_filter``, a polyphase filter of the same length and window, cubic splines.
    """
    wanted = imaging()
    settings, chain = wanted.velocimetry, wanted.chain
    assert settings is not None
    assert chain.band is not None
    iq = np.fromfile(path, np.complex64).reshape(-1, DEPTHS, WIDTHS)
    gate, pairs = settings.gate_samples, settings.ensemble - 1

    def summed(values: NDArray[np.complex64], size: tuple[int, int, int]) -> NDArray[np.float32]:
        # A mean has the phase of its sum, also where it is cut at an edge and filled with zeros.
        origin = (0, -1 if size[1] % 2 == 0 else 0, 0)
        parts = [
            ndimage.uniform_filter(part, size, mode="constant", origin=origin)
            for part in (values.real, values.imag)
        ]
        return np.arctan2(parts[1], parts[0])

    turned = summed(iq[1:] * iq[:-1].conj(), (pairs, gate, 1))
    down = np.zeros_like(iq)
    np.multiply(iq[:, 1:], iq[:, :-1].conj(), out=down[:, :-1])
    down = down[1:] + down[:-1]
    del iq
    offset = summed(down, (pairs, gate - 1, 1))
    del down
    share = settings.depth_rate / (2 * math.pi * settings.centre_frequency)
    velocity = turned * (settings.nyquist_velocity / math.pi)
    velocity /= np.clip(1 + share * offset, 0.5, 1.5)
    del turned, offset
    sections = signal.butter(chain.order, chain.band, "bandpass", fs=FRAME_RATE, output="sos")
    velocity = filtered(velocity, sections, wanted.band_pass)
    velocity = ndimage.median_filter(velocity, size=(1, *wanted.median), mode="nearest")
    up, down_by = 32, 125  # 512 of 2000 Hz
    taps = signal.firwin(2 * 16 * down_by + 1, 2 * 0.42 / down_by, window=("kaiser", 8.0)).astype(
        np.float32
    )
    velocity = signal.resample_poly(velocity, up, down_by, axis=0, window=taps)
    depth, width = wanted.output_axes
    zoom = (depth.count / DEPTHS, width.count / WIDTHS)
    with out.open("wb") as file:
        for image in velocity:
            found = ndimage.zoom(image, zoom, order=3, mode="nearest", grid_mode=True)
            found.astype(np.float32).tofile(file)


def filtered(
    velocity: NDArray[np.float32], sections: NDArray[np.float64], band: BandPass | None
) -> NDArray[np.float32]:
    """Filter forwards and backwards what is continued by lines fitted to its ends."""
    assert band is not None
    fitted, beyond = min(band.fitted, len(velocity)), band.overlap
    time = np.arange(fitted)
    pixels = velocity.reshape(len(velocity), -1)
    slopes = [np.polyfit(time, part, 1) for part in (pixels[:fitted], pixels[-fitted:])]
    before, after = np.arange(-beyond, 0), np.arange(fitted, fitted + beyond)
    parts = [
        (line[0] * times[:, None] + line[1]).astype(np.float32)
        for line, times in zip(slopes, (before, after), strict=True)
    ]
    whole = np.concatenate([parts[0], pixels, parts[1]])
    found = np.asarray(signal.sosfiltfilt(sections, whole, axis=0, padlen=0))[beyond:-beyond]
    return found.astype(np.float32).reshape(velocity.shape)


SIDES = {"musim": with_musim, "scipy": with_scipy}


def measure(side: str, path: Path, out: Path) -> tuple[float, float, float]:
    """Run one side in a process of its own; return seconds, processor seconds, and MiB at most."""
    arguments = ("--side", side, "--recording", str(path), "--out", str(out))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.velocimetry", *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds, processor, peak = map(float, done.stdout.split())
    return seconds, processor, peak


def one_side(side: str, path: Path, out: Path) -> None:
    """What the process does: time one side, but for imports and compilation."""
    with tempfile.TemporaryDirectory() as name:
        short = Path(name) / "short"
        with path.open("rb") as file:
            np.fromfile(file, np.complex64, 40 * DEPTHS * WIDTHS).tofile(short)
        SIDES[side](short, Path(name) / "out")
    began, used = time.perf_counter(), time.process_time()
    SIDES[side](path, out)
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    print(seconds, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def speed(folder: Path, frames: int, rounds: int) -> list[str]:
    """(b): the chain against whole-array SciPy, in turns."""
    path = folder / "recording"
    record(path, frames)
    outs = {side: folder / side for side in SIDES}
    measured: dict[str, list[tuple[float, float, float]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side, out in outs.items():
            measured[side].append(measure(side, path, out))
    ours, theirs = (
        np.fromfile(out, np.float32).reshape(-1, 128, 128)[20:-20] for out in outs.values()
    )
    agreement = np.corrcoef(ours.ravel(), theirs.ravel())[0, 1]
    deviation = (ours - theirs).std() / theirs.std()
    rows = [
        "| chain ali-2022 | seconds | processor seconds | peak memory, MiB |",
        "|---|---:|---:|---:|",
    ]
    middles = {side: np.median(values, axis=0) for side, values in measured.items()}
    names = {"musim": "musim, block by block", "scipy": "NumPy and SciPy, whole arrays"}
    for side, (seconds, processor, peak) in middles.items():
        rows.append(f"| {names[side]} | {seconds:.1f} | {processor:.1f} | {peak:.0f} |")
    ratios = middles["scipy"] / middles["musim"]
    rows.append("| ratio | " + " | ".join(f"{ratio:.1f}" for ratio in ratios) + " |")
    size = frames * DEPTHS * WIDTHS * 8 / 2**20
    rows += [
        "",
        f"{frames} IQ images of {DEPTHS} x {WIDTHS} ({size:.0f} MiB). Both results: correlation "
        f"{agreement:.5f}, SD of the difference {deviation:.2%} of theirs (their splines do not "
        "average where pixels get coarser).",
    ]
    return rows


def main() -> None:
    """Run what was asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=4000, help="IQ images in the recording")
    parser.add_argument("--draws", type=int, default=20_000, help="gates of speckle at each SNR")
    parser.add_argument("--rounds", type=int, default=1, help="how often each side is timed")
    parser.add_argument("--only", choices=("accuracy", "speed"), help="one of the two parts")
    parser.add_argument("--folder", type=Path, help="where the recording is written")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--recording", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        one_side(options.side, options.recording, options.out)
        return
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
          f"NumPy {np.__version__}, SciPy {scipy.__version__}\n")  # fmt: skip
    if options.only != "speed":
        print("\n".join(accuracy(options.draws)), end="\n\n", flush=True)
    if options.only != "accuracy":
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            print("\n".join(speed(Path(name), options.frames, options.rounds)))


if __name__ == "__main__":
    main()
