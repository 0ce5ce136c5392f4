"""Learn anew to judge what may be a unit: the weights of the method `learned`.

    python -m benchmarks.judgement --make FOLDER -n 600     # examples, resumable
    python -m benchmarks.judgement --fit FOLDER             # the weights, and how good they are

Examples are drawn by musim's own simulator: quick recordings of the virtual experiment with doses
wider than plausible, and analytic sequences that are blurred, drift, and lack pixels and frames.
Makers of :mod:`benchmarks.recordings` are no examples: methods are put to those.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.metrics import log_loss, roc_auc_score

from musim.simulator import Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.simulator.imaging.filtering import BandPass, band_pass
from musim.simulator.parameters import PRESETS
from musim.training.identification.methods.learned.judged import seen_in
from musim.training.identification.methods.learned.judgement import FURTHEST, WEIGHTS, Judgement
from musim.training.identification.metrics import match_trains
from musim.training.identification.metrics.calibration import calibration_error
from musim.training.identification.metrics.trains import TRAIN_THRESHOLD
from musim.training.identification.noise import whiten
from musim.training.identification.slow_motion import without_slow_motion
from musim.training.identification.units import Recording

SEED = 31
"""Of the examples. No other command uses it."""

WIDER: dict[str, str] = {
    "spread": "0.3-4",
    "incompressibility": "0-1",
    "wave_speed": "1.5-6",
    "layer": "0-1",
    "artery": "0-300",
    "thermal_noise": "0-0.002",
    "fusion": "0-0.5",
    "tremor": "0-1",
    "muscle_motion": "0-1.2",
    "noise_at_depth": "0-0.25",
}
"""Doses of a kind of example, by their names as options."""

KINDS = ("easy", "many", "typical", "wide", "hard", "analytic", "noise")
"""Kinds of examples, in turn."""

VALIDATION = 5
"""Each so many-th round of kinds tells when learning is to end, and is not learned from."""

NETWORKS, HIDDEN = 4, (48, 24)
"""Networks whose log odds are averaged, and units of their hidden layers."""

RATE, DECAY, DROPOUT, JITTER, BATCH, PATIENCE = 3e-3, 1e-2, 0.3, 0.3, 256, 25
"""Of AdamW; share of hidden units left out; SD of what is added to the traits, so that other
simulators' are not too far from any; trains a step; rounds without getting better."""

Example = tuple[Recording, NDArray[np.float32]]


def example(index: int) -> Example:
    """Draw an example: a recording, and its units' trains."""
    kind = KINDS[index % len(KINDS)]
    rng = np.random.default_rng([SEED, index])
    if kind == "analytic":
        return _analytic(index, rng)
    if kind == "noise":
        return _noise(rng)
    preset = kind if kind in ("typical", "hard") else "easy"
    given = dict(PRESETS[preset])
    if kind in ("many", "wide"):
        given["units"] = Range(*((12, 30) if kind == "many" else (3, 25)))
    if kind == "wide":
        given["firing_rate"] = Range(6.0, 25.0)
        given["strength_ratio"] = Range(1.0, 10.0)
    if rng.uniform() < 0.4:
        # Coarser, shorter: as many recordings are.
        frames = int(rng.integers(350, 800))
        given |= {"pixels": (64, 64), "frames": frames, "frame_rate": 400.0}
    parameters = Parameters(**given)
    doses = Doses.from_texts(WIDER if kind == "wide" else {}, preset)
    truth = draw(parameters, doses=doses, seed=SEED, index=index)
    recording = draw_recording(parameters, doses, truth, seed=SEED, index=index)
    tvi = render_recording(recording, colour(parameters, doses))
    return Recording(tvi, parameters.frame_rate, parameters.pixel_size), truth.twitch_train


def _noise(rng: np.random.Generator) -> Example:
    """Return noise alone: white or alike over pixels, over frames, or in a band of frequencies."""
    side, frames = int(rng.choice([40, 64, 96])), int(rng.integers(300, 900))
    noise = rng.standard_normal((frames, side, side))
    over = rng.choice([0.0, 0.7, 1.5, 3.0], 3) * rng.integers(0, 2, 3)
    noise = gaussian_filter(noise, (2 * over[0], over[1], over[2]))
    if rng.uniform() < 0.4:
        noise = band_pass(noise.astype(np.float32), BandPass(low=5.0, high=25.0, frame_rate=400.0))
    size = float(rng.choice([0.3, 0.625]))
    tvi = np.asarray(noise / noise.std(), np.float32)
    return Recording(tvi, 400.0, (size, size)), np.zeros((0, frames), np.float32)


def _analytic(index: int, rng: np.random.Generator) -> Example:
    rate = float(rng.choice([8.0, 12.0, 20.0]))
    parameters = Parameters(
        units=Range(3, 28),
        snr=Range(-5.0, 25.0),
        firing_rate=Range(rate, 1.5 * rate),
        territory="ellipse" if rng.uniform() < 0.5 else "disc",
        frames=int(rng.integers(350, 900)),
    )
    truth = draw(parameters, seed=SEED, index=index)
    clean = render(truth, noise=False)
    noise = render(truth) - clean
    blur = float(rng.choice([0.0, 0.7, 1.5, 3.0]))
    tvi = gaussian_filter(clean, (0, blur, blur)) if blur else clean
    gain = np.exp(gaussian_filter(rng.standard_normal(tvi.shape[1:]), 8) * 8 * rng.uniform(0, 0.8))
    tvi = tvi * gain.astype(np.float32) + noise
    time = np.arange(parameters.frames) / parameters.frame_rate
    drift = rng.uniform(0, 2) * tvi.std() * np.sin(2 * np.pi * rng.uniform(0.2, 1.5) * time)
    tvi += drift.astype(np.float32)[:, None, None]
    tvi[:, rng.random(tvi.shape[1:]) < rng.choice([0.0, 0.01])] = 0
    if rng.uniform() < 0.3:
        lost = np.flatnonzero(rng.random(len(tvi)) < 0.02)
        tvi[lost[lost > 0]] = tvi[lost[lost > 0] - 1]
    return (
        Recording(tvi.astype(np.float32), parameters.frame_rate, parameters.pixel_size),
        truth.twitch_train,
    )


def make(folder: Path, index: int) -> None:
    """Write the traits and truth of an example, unless they are there."""
    path = folder / f"{index:05}.npz"
    if path.exists():
        return
    given, truth = example(index)
    recording, _ = without_slow_motion(given)
    seen, _, _ = seen_in(recording, whiten(recording))
    likeness = match_trains(seen.courses, truth, recording.frame_rate).correlations
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        np.savez_compressed(
            file, traits=seen.traits, likeness=likeness, courses=seen.courses.astype(np.float16),
            centres=seen.centres, radii=seen.radii, truth=truth.astype(np.float16),
            frame_rate=recording.frame_rate,
        )  # fmt: skip
    aside.replace(path)


def examples_in(folder: Path, validation: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the traits of all trains of examples, and which are units' (1 or 0)."""
    traits, true = [], []
    for path in sorted(folder.glob("*.npz")):
        chosen = int(path.stem) // len(KINDS) % VALIDATION == VALIDATION - 1
        if chosen == validation:
            with np.load(path, allow_pickle=False) as found:
                traits.append(found["traits"])
                true.append(np.abs(found["likeness"]).max(axis=1, initial=0) > TRAIN_THRESHOLD)
    if not traits:
        raise SystemExit(f"{folder}: found too few examples, wanted {len(KINDS) * VALIDATION}")
    return np.concatenate(traits), np.concatenate(true).astype(np.float64)


def fit(folder: Path) -> Judgement:
    """Learn from the examples in a folder; say how good it is on those that are kept apart."""
    traits, true = examples_in(folder, validation=False)
    apart, apart_true = examples_in(folder, validation=True)
    mean, scale = traits.mean(axis=0), traits.std(axis=0) + 1e-6
    learn, tell = (np.clip((each - mean) / scale, -FURTHEST, FURTHEST) for each in (traits, apart))
    networks = [_learned(seed, learn, true, tell, apart_true) for seed in range(NETWORKS)]
    layers = tuple(
        (np.stack([network[n][0] for network in networks]),
         np.stack([network[n][1] for network in networks]))
        for n in range(len(networks[0]))
    )  # fmt: skip
    judgement = Judgement(mean, scale, layers)
    sure = judgement.probability(apart)
    print(
        f"{len(true)} trains of examples, {true.mean():.0%} units'; {len(apart_true)} kept apart: "
        f"area under the curve {roc_auc_score(apart_true, sure):.3f}, calibration error "
        f"{calibration_error(sure, apart_true):.3f}, log loss {log_loss(apart_true, sure):.3f}"
    )
    return judgement


def _learned(
    seed: int, traits: NDArray[np.float64], true: NDArray[np.float64],
    apart: NDArray[np.float64], apart_true: NDArray[np.float64],
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:  # fmt: skip
    """Return the layers of one network; learning ends where those kept apart get no better."""
    torch.manual_seed(seed)
    widths = (traits.shape[1], *HIDDEN)
    parts: list[torch.nn.Module] = []
    for one, two in pairwise(widths):
        parts += [torch.nn.Linear(one, two), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT)]
    network = torch.nn.Sequential(*parts, torch.nn.Linear(widths[-1], 1))
    steps = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    loss = torch.nn.BCEWithLogitsLoss()
    given, wanted, told, answer = (
        torch.tensor(each, dtype=torch.float32) for each in (traits, true, apart, apart_true)
    )
    best, kept, worse = np.inf, network.state_dict(), 0
    while worse < PATIENCE:
        network.train()
        for batch in torch.randperm(len(given)).split(BATCH):
            steps.zero_grad()
            jittered = given[batch] + JITTER * torch.randn_like(given[batch])
            loss(network(jittered)[:, 0], wanted[batch]).backward()
            steps.step()
        network.eval()
        with torch.no_grad():
            now = float(loss(network(told)[:, 0], answer))
        worse += 1
        if now < best - 1e-5:
            best, worse = now, 0
            kept = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(kept)
    return [
        (part.weight.detach().numpy().astype(float), part.bias.detach().numpy().astype(float))
        for part in network
        if isinstance(part, torch.nn.Linear)
    ]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--make", type=Path, metavar="FOLDER")
    parser.add_argument("--fit", type=Path, metavar="FOLDER")
    parser.add_argument("-n", type=int, default=600)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    if given.make:
        given.make.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:
            for done, _ in enumerate(pool.map(partial(make, given.make), range(given.n)), 1):
                print(f"\r{done} of {given.n}", end="", flush=True)
        print()
    if given.fit:
        torch.set_num_threads(1)
        WEIGHTS.write_text(json.dumps(fit(given.fit).to_json()) + "\n")


if __name__ == "__main__":
    main()
