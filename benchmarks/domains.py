"""Compare the virtual experiment with the analytic model, as Ali et al. 2022 compare domains.

``python -m benchmarks.domains --sequences 64`` prints the table of README.md and draws
``domains.png``. Domain A is the analytic sequence, domain B what the virtual experiment makes of
the same kind of truth. The paper's Table 1 gives, for real recordings in the place of B, a
Bhattacharyya distance of 0.33, correlations of histograms of 0.54 and of spectra of 0.96, and a
structural similarity of 0.32 between the domains, and 0.26, 0.66, 0.98 and 0.74 within B
(BioMedical Engineering OnLine 2022, "Modelling intra-muscular contraction dynamics using in silico
to in vivo domain translation"). It leaves open the histogram's bins, the logarithm's offset and the
scaling of K-space; what is taken here are the defaults of
:class:`musim.training.translation.metrics.FeatureSettings`.
"""

import argparse
import os
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from musim.simulator import Parameters, draw, render
from musim.simulator.experiment.doses import PRESETS as DOSE_PRESETS
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.simulator.experiment.recording import simulate
from musim.simulator.parameters import PRESETS
from musim.training.translation.metrics import Features, FeatureSettings, compare, measure
from musim.training.translation.metrics.features import k_space, log_variance

FIGURE = Path(__file__).with_name("domains.png")

SETTINGS = FeatureSettings()

PAPER = {
    "Bhattacharyya distance": (0.33, 0.26),
    "correlation of histograms": (0.54, 0.66),
    "similarity of K-spaces": (0.32, 0.74),
    "correlation of spectra": (0.96, 0.98),
}
"""Table 1: simulated against experimental, and experimental against itself."""


def active_frame(sequence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the most active frame that is a quarter of the sequence from its ends, mm/s."""
    power = np.mean(np.square(sequence), axis=(1, 2))
    inside = slice(len(sequence) // 4, -(len(sequence) // 4))
    return sequence[inside][power[inside].argmax()].copy()


def comparison(
    first: Sequence[Features], second: Sequence[Features]
) -> dict[str, NDArray[np.float64]]:
    """Return the scores of all pairs of sequences, arrays of shape (first, second)."""
    found = compare(first, second, SETTINGS)
    linear = compare(first, second, replace(SETTINGS, scaling="linear"))
    return {
        "Bhattacharyya distance": found["histogram_distance"],
        "correlation of histograms": found["histogram_correlation"],
        "similarity of K-spaces": found["k_space_similarity"],
        "similarity of K-spaces, linear": linear["k_space_similarity"],
        "correlation of spectra": found["spectrum_correlation"],
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


def make(
    folder: Path, settings: Parameters, doses: Doses, seed: int, index: int, quick: bool
) -> None:
    """Make both domains' sequence `index` and keep its features in a file, if not there already."""
    path = folder / f"{seed}-{index}.npz"
    if path.exists():
        return
    truth = draw(settings, doses=doses, seed=seed, index=index)
    began, used = time.perf_counter(), time.process_time()
    if quick:
        recording = draw_recording(settings, doses, truth, seed=seed, index=index)
        sequence = render_recording(recording, colour(settings, doses))
    else:
        sequence = simulate(settings, doses, truth, seed=seed, index=index)
    cost = time.perf_counter() - began, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"cost": np.array([*cost, peak]), "fat": np.array(truth.fat)}
    for name, frames in (("b", sequence), ("a", render(truth))):
        features = measure(frames, settings.frame_rate, SETTINGS)
        found |= {f"{name}_{part}": value for part, value in vars(features).items()}
        found[f"{name}_frame"] = active_frame(frames)
    aside = path.with_suffix(".tmp.npz")
    np.savez(aside, **found)
    aside.replace(path)


@dataclass(frozen=True)
class Subject:
    """Both domains' features of a subject.

    Parameters
    ----------
    a, b : Features
    frames : pair of float32 arrays of shape (depth, width)
        An active frame of either, mm/s.
    fat : float
        Thickness of skin and fat, mm.
    cost : float64 array of shape (3,)
        Of B: seconds, processor seconds, and MiB at most.
    """

    a: Features
    b: Features
    frames: tuple[NDArray[np.float32], NDArray[np.float32]]
    fat: float
    cost: NDArray[np.float64]


def load(path: Path) -> Subject:
    """Read what :func:`make` kept."""
    with np.load(path) as file:
        a, b = (
            Features(*(file[f"{name}_{part}"] for part in ("variance", "frequency", "spectrum")))
            for name in "ab"
        )
        return Subject(a, b, (file["a_frame"], file["b_frame"]), float(file["fat"]), file["cost"])


def table(loaded: list[Subject], step: float) -> list[str]:
    """Compare every sequence with every other subject's: mean (SD) over pairs."""
    count = len(loaded)
    a, b = [each.a for each in loaded], [each.b for each in loaded]
    rows = [
        "| | A against B | B against B | A against A | Ali 2022: A, B | Ali 2022: B, B |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    found = comparison(a, b), comparison(b, b), comparison(a, a)
    # Other subjects' alone; within a domain each pair once.
    chosen = ~np.eye(count, dtype=bool), *[np.tri(count, k=-1, dtype=bool)] * 2
    for name in found[0]:
        values = [scores[name][kept] for scores, kept in zip(found, chosen, strict=True)]
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
            logarithm = log_variance(features.variance, SETTINGS)
            map_axes.imshow(logarithm, vmax=SETTINGS.span[1] * 0.7, vmin=0, extent=(0, 40, 40, 0))
            frame = subject.frames[domain]
            most = np.quantile(np.abs(frame), 0.995)
            frame_axes.imshow(frame, cmap="RdBu_r", vmin=-most, vmax=most, extent=(0, 40, 40, 0))
            k_axes.imshow(k_space(features.variance, SETTINGS), vmin=0, vmax=1, cmap="magma")
            frequency = features.frequency
            for other, shade in ((subject.a, "tab:blue"), (subject.b, "tab:red")):
                width = 1.5 if other is features else 0.5
                curve.semilogy(frequency[2:81], other.spectrum[2:81], color=shade, lw=width)
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
    parser.add_argument("--preset", choices=sorted(DOSE_PRESETS), default="easy")
    parser.add_argument("--quick", action="store_true", help="B by the quick experiment")
    options = parser.parse_args()
    changed = dict(text.split("=", 1) for text in options.dose)
    doses = Doses.from_texts(changed, options.preset)
    settings = Parameters(**PRESETS[options.preset])
    options.folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        waiting = [
            pool.submit(make, options.folder, settings, doses, options.seed, index, options.quick)
            for index in range(options.sequences)
        ]
        for done in waiting:
            done.result()
    loaded = [
        load(options.folder / f"{options.seed}-{index}.npz") for index in range(options.sequences)
    ]
    print("\n".join(table(loaded, settings.pixel_size[0])))
    picture(loaded, options.figure)


if __name__ == "__main__":
    main()
