"""Compare the virtual experiment with the analytic model, as Ali et al. 2022 compare domains.

``python -m benchmarks.domains --sequences 64`` prints the table of README.md and draws
``domains.png``. Domain A is the analytic sequence, domain B what the virtual experiment makes of
the same kind of truth. The paper's Table 1 gives, for real recordings in the place of B, a
Bhattacharyya distance of 0.33, correlations of histograms of 0.54 and of spectra of 0.96, and a
structural similarity of 0.32 between the domains, and 0.26, 0.66, 0.98 and 0.74 within B
(BioMedical Engineering OnLine 2022, "Modelling intra-muscular contraction dynamics using in silico
to in vivo domain translation"). It leaves open the histogram's bins, the logarithm's offset and the
scaling of K-space; what is taken here stands at each function.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from musim.simulator import Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.experiment import simulate
from musim.simulator.parameters import PRESETS
from musim.simulator.territory import fat_thickness

FIGURE = Path(__file__).with_name("domains.png")

HIGHEST = 3.0
"""Upper end of the histograms: variances of 19 times the mean one."""

BINS = 64

WINDOW = 7
"""Side of the windows of structural similarity, points of K-space."""

BAND = (5.0, 50.0)
"""Frequencies whose spectra are compared, Hz: what the imaging chain keeps."""

WELCH = 512
"""Frames of a segment of Welch's estimate, 1 s."""

PAPER = {
    "Bhattacharyya distance": (0.33, 0.26),
    "correlation of histograms": (0.54, 0.66),
    "similarity of K-spaces": (0.32, 0.74),
    "correlation of spectra": (0.96, 0.98),
}
"""Table 1: simulated against experimental, and experimental against itself."""


@dataclass(frozen=True)
class Features:
    """What is kept of a sequence.

    Parameters
    ----------
    variance : float32 array of shape (depth, width)
        Of each pixel's course, of the sequence standardised to mean 0 and SD 1.
    spectrum : float64 array of shape (frequency,)
        Mean over pixels of Welch's power spectral density of the standardised sequence.
    frame : float32 array of shape (depth, width)
        The most active frame that is a quarter of the sequence from its ends, mm/s.
    """

    variance: NDArray[np.float32]
    spectrum: NDArray[np.float64]
    frame: NDArray[np.float32]

    @classmethod
    def of(cls, sequence: NDArray[np.float32]) -> "Features":
        """Measure a sequence of shape (time, depth, width), mm/s."""
        power = np.mean(np.square(sequence), axis=(1, 2))
        inside = slice(len(sequence) // 4, -(len(sequence) // 4))
        frame = sequence[inside][power[inside].argmax()].copy()
        standard = (sequence - sequence.mean()) / sequence.std()
        spectra = [
            signal.welch(row, fs=512.0, nperseg=WELCH, axis=0)[1].mean(axis=1)
            for row in standard.swapaxes(0, 1)
        ]
        return cls(standard.var(axis=0), np.mean(spectra, axis=0), frame)

    @property
    def logarithm(self) -> NDArray[np.float64]:
        """log(1 + variance), float64 of shape (depth, width)."""
        return np.log1p(self.variance.astype(np.float64))

    @property
    def histogram(self) -> NDArray[np.float64]:
        """Share of pixels in 64 bins of log(1 + variance) from 0 to 3; what is more is in the last.

        float64 of shape (bin,).
        """
        values = np.minimum(self.logarithm, np.nextafter(HIGHEST, 0))
        return np.histogram(values, BINS, (0, HIGHEST))[0] / values.size

    @property
    def amplitude(self) -> NDArray[np.float64]:
        """Amplitude of the map's unitary Fourier transform, of kz > 0 and kx > 0 alone.

        float64 of shape (depth / 2 - 1, width / 2 - 1), of the logarithm of variance.
        """
        depth, width = self.variance.shape
        spectrum = np.abs(np.fft.fft2(self.logarithm, norm="ortho"))
        return spectrum[1 : depth // 2, 1 : width // 2]

    @property
    def k_space(self) -> NDArray[np.float64]:
        """log(1 + amplitude) over its greatest value, float64 as :attr:`amplitude`."""
        logarithm = np.log1p(self.amplitude)
        return logarithm / logarithm.max()


def bhattacharyya(first: Features, second: Features) -> float:
    """Return sqrt(1 - sum sqrt(p q)) of the histograms p and q: 0 is alike, 1 apart."""
    overlap = np.sqrt(first.histogram * second.histogram).sum()
    return float(np.sqrt(max(1 - overlap, 0.0)))


def correlation(first: Features, second: Features) -> float:
    """Return the histograms' correlation over bins."""
    return float(np.corrcoef(first.histogram, second.histogram)[0, 1])


def spectra(first: Features, second: Features) -> float:
    """Return the correlation of the logarithms of both spectra, 5 to 50 Hz in steps of 1 Hz."""
    frequency = np.fft.rfftfreq(WELCH, 1 / 512.0)
    kept = (frequency >= BAND[0]) & (frequency <= BAND[1])
    return float(np.corrcoef(np.log(first.spectrum[kept]), np.log(second.spectrum[kept]))[0, 1])


def similarity(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the mean structural similarity of two images with values from 0 to 1.

    Means, variances and covariance over squares of 7 x 7 points; constants (0.01, 0.03)^2 (Wang et
    al. 2004, doi:10.1109/TIP.2003.819861).
    """

    def mean(image: NDArray[np.float64]) -> NDArray[np.float64]:
        half = WINDOW // 2
        smooth = np.asarray(ndimage.uniform_filter(image, WINDOW), np.float64)
        return smooth[half:-half, half:-half]

    a, b = mean(first), mean(second)
    variances = mean(first**2) - a**2 + mean(second**2) - b**2
    covariance = mean(first * second) - a * b
    found = (2 * a * b + 1e-4) * (2 * covariance + 9e-4)
    return float(np.mean(found / ((a**2 + b**2 + 1e-4) * (variances + 9e-4))))


METRICS: dict[str, Callable[[Features, Features], float]] = {
    "Bhattacharyya distance": bhattacharyya,
    "correlation of histograms": correlation,
    "similarity of K-spaces": lambda a, b: similarity(a.k_space, b.k_space),
    "similarity of K-spaces, linear": lambda a, b: similarity(
        a.amplitude / a.amplitude.max(), b.amplitude / b.amplitude.max()
    ),
    "correlation of spectra": spectra,
}


def superficial(features: Features, fat: float, step: float) -> float:
    """Return the SD of velocity in skin and fat over that in muscle, each 1 mm from the border."""
    depth = (np.arange(len(features.variance)) + 0.5) * step
    above, below = depth < fat - 1, depth > fat + 1
    return float(np.sqrt(features.variance[above].mean() / features.variance[below].mean()))


def granules(features: Features, fat: float, step: float) -> float:
    """Return the size of texture in the muscle's variance map, mm.

    The width at half of the autocorrelation, as the mean over depth and width, of log variance less
    its mean over a Gaussian of 2 mm SD: of discs of one size about 0.8 of their diameter.
    """
    rows = slice(int((fat + 1) / step), None)
    logarithm = np.log(np.maximum(features.variance[rows].astype(np.float64), 1e-6))
    texture = logarithm - ndimage.gaussian_filter(logarithm, 2 / step)
    texture -= texture.mean()
    power = np.abs(np.fft.fft2(texture, [2 * side for side in texture.shape])) ** 2
    found = np.fft.ifft2(power).real
    return float(np.mean([step * _width(line / found[0, 0]) for line in (found[:, 0], found[0])]))


def _width(line: NDArray[np.float64]) -> float:
    """Return the full width at half of a peak at 0, samples."""
    below = int(np.argmax(line < 0.5))
    return 2 * (below - 1 + (line[below - 1] - 0.5) / (line[below - 1] - line[below]))


def parameters() -> Parameters:
    """Return the parameters of both domains: those of Ali 2022, under skin and fat."""
    return Parameters(**{**PRESETS["ali-2022"], "fat": Range(3, 8)})


def make(folder: Path, doses: Doses, seed: int, index: int) -> None:
    """Make both domains' sequence `index` and keep its features in a file, if not there already."""
    path = folder / f"{seed}-{index}.npz"
    if path.exists():
        return
    settings = parameters()
    truth = draw(settings, seed=seed, index=index)
    began, used = time.perf_counter(), time.process_time()
    sequence = simulate(settings, doses, truth, seed=seed, index=index)
    cost = time.perf_counter() - began, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"cost": np.array([*cost, peak]), "fat": np.array(fat_thickness(settings, seed, index))}
    for name, frames in (("b", sequence), ("a", render(truth))):
        features = Features.of(frames)
        found |= {f"{name}_{part}": value for part, value in vars(features).items()}
    aside = path.with_suffix(".tmp.npz")
    np.savez(aside, **found)
    aside.replace(path)


@dataclass(frozen=True)
class Subject:
    """Both domains' features of a subject.

    Parameters
    ----------
    a, b : Features
    fat : float
        Thickness of skin and fat, mm.
    cost : float64 array of shape (3,)
        Of B: seconds, processor seconds, and MiB at most.
    """

    a: Features
    b: Features
    fat: float
    cost: NDArray[np.float64]


def load(path: Path) -> Subject:
    """Read what :func:`make` kept."""
    with np.load(path) as file:
        a, b = (
            Features(**{part: file[f"{name}_{part}"] for part in ("variance", "spectrum", "frame")})
            for name in "ab"
        )
        return Subject(a, b, float(file["fat"]), file["cost"])


def pairs(count: int) -> Iterator[tuple[int, int]]:
    """Give all pairs of different subjects."""
    return ((i, j) for i in range(count) for j in range(i))


def table(loaded: list[Subject]) -> list[str]:
    """Compare every sequence with every other subject's: mean (SD) over pairs."""
    count = len(loaded)
    step = parameters().pixel_size[0]
    a, b = [each.a for each in loaded], [each.b for each in loaded]
    rows = [
        "| | A against B | B against B | A against A | Ali 2022: A, B | Ali 2022: B, B |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, metric in METRICS.items():
        values = (
            [metric(a[i], b[j]) for i, j in pairs(count)] + [metric(a[j], b[i])
            for i, j in pairs(count)],
            [metric(b[i], b[j]) for i, j in pairs(count)],
            [metric(a[i], a[j]) for i, j in pairs(count)],
        )  # fmt: skip
        paper = [f"{value:.2f}" for value in PAPER.get(name, ())] or ["", ""]
        cells = [f"{np.mean(value):.2f} ({np.std(value):.2f})" for value in values]
        rows.append(f"| {name} | " + " | ".join(cells + paper) + " |")
    shallow = [superficial(each.b, each.fat, step) for each in loaded]
    size = [granules(each.b, each.fat, step) for each in loaded]
    seconds, processor, peak = np.array([each.cost for each in loaded]).T
    return [
        *rows,
        "",
        f"{count} subjects. B: SD of velocity in skin and fat over that in muscle "
        f"{np.mean(shallow):.2f} ({np.std(shallow):.2f}); size of granules {np.mean(size):.2f} "
        f"({np.std(size):.2f}) mm. A sequence of B took {np.median(seconds):.1f} s, "
        f"{np.median(processor):.1f} s of processor time and {peak.max():.0f} MiB at most.",
    ]


def picture(loaded: list[Subject], path: Path) -> None:
    """Draw three subjects of each domain."""
    shown = loaded[:3]
    figure, axes = plt.subplots(
        4, 2 * len(shown), figsize=(2 * 2 * len(shown), 8), layout="constrained", squeeze=False
    )
    for number, subject in enumerate(shown):
        for domain, features in enumerate((subject.a, subject.b)):
            map_axes, frame_axes, k_axes, curve = axes[:, number + domain * len(shown)]
            map_axes.imshow(features.logarithm, vmax=HIGHEST * 0.7, vmin=0, extent=(0, 40, 40, 0))
            most = np.quantile(np.abs(features.frame), 0.995)
            frame_axes.imshow(
                features.frame, cmap="RdBu_r", vmin=-most, vmax=most, extent=(0, 40, 40, 0)
            )
            k_axes.imshow(features.k_space, vmin=0, vmax=1, cmap="magma")
            frequency = np.fft.rfftfreq(WELCH, 1 / 512.0)
            for other, colour in ((subject.a, "tab:blue"), (subject.b, "tab:red")):
                width = 1.5 if other is features else 0.5
                curve.semilogy(frequency[2:81], other.spectrum[2:81], color=colour, lw=width)
            curve.set_ylim(1e-6, 1)
            curve.set_xlabel("Hz")
            map_axes.set_title(f"{'AB'[domain]}, subject {number + 1}", fontsize=9)
            for axis in (map_axes, frame_axes, k_axes):
                axis.set_xticks([])
                axis.set_yticks([])
    for axis, name in zip(
        axes[:, 0], ("log(1 + variance)", "frame, mm/s", "K-space", "spectrum, 1/Hz"), strict=True
    ):
        axis.set_ylabel(name)
    figure.savefig(path, dpi=70)
    plt.close(figure)


def main() -> None:
    """Make what is missing, compare, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=64, help="subjects in each domain")
    parser.add_argument("--seed", type=int, default=2022)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--folder", type=Path, default=Path("domains"), help="where features go")
    parser.add_argument("--figure", type=Path, default=FIGURE)
    parser.add_argument(
        "--dose", action="append", default=[], metavar="NAME=LOW-HIGH", help="another range"
    )
    options = parser.parse_args()
    changed = dict(text.split("=", 1) for text in options.dose)
    doses = Doses(**{name: Range.parse(text) for name, text in changed.items()})
    options.folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        waiting = [
            pool.submit(make, options.folder, doses, options.seed, index)
            for index in range(options.sequences)
        ]
        for done in waiting:
            done.result()
    loaded = [
        load(options.folder / f"{options.seed}-{index}.npz") for index in range(options.sequences)
    ]
    print("\n".join(table(loaded)))
    picture(loaded, options.figure)


if __name__ == "__main__":
    main()
