"""What runs make of slices, scored and kept as parts; and what can be made without a network."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....datasets.store import Store
from ....datasets.store_files import SEAL
from ....datasets.volumes.slices import Slice, padded, slices_of
from ....simulator.errors import InputError
from ...evaluations import EvaluationFolder
from ...runs.folder import RunFolder
from ...tasks import digest_of
from ..grid import power_of
from ..levels import Levels
from .files import FILES
from .scoring import scores_of
from .survey import Survey, body_in, joint_levels, likeliest_levels, mean_levels

TASK = "translate-paired"
"""The task of training whose runs are evaluated."""

SLICES_OF_PART = 48
BATCH = 8
"""Slices that a network is given at a time."""

ACTUAL = "actual"
COPY, LIKELIEST, MEAN = "copy of the input", "likeliest level", "mean level"
"""What is made without a network: the image given as it is, in its own levels; and one-to-one maps
of levels, which were fitted to these very slices, so that no map of levels can do better than the
second."""

BASELINES = (COPY, LIKELIEST, MEAN)


@dataclass(frozen=True)
class PairedRun:
    """A run of ``musim train translate`` on pairs, as it says of itself.

    Parameters
    ----------
    name : str
        Tells it from the others.
    folder : str
    architecture : str
        ``pix2pix``, ``cyclegan`` or ``unit``.
    """

    name: str
    folder: str
    architecture: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def runs_of(folders: Sequence[str]) -> tuple[PairedRun, ...]:
    """Read what runs say of themselves.

    Parameters
    ----------
    folders : sequence of str
        Folders of runs; one or more.

    Raises
    ------
    InputError
        If there is none, one is there twice, or is no run on pairs.
    """
    if not folders:
        raise InputError("runs: found none, wanted one or more folders of musim train translate")
    places = [str(Path(folder).resolve()) for folder in folders]
    twice = next((one for one, place in zip(folders, places, strict=True)
                  if places.count(place) > 1), None)  # fmt: skip
    if twice is not None:
        raise InputError(f"{twice}: found this run twice, wanted each once; leave one out")
    short = [Path(place).name for place in places]
    names = short if len(set(short)) == len(short) else [str(folder) for folder in folders]
    taken = next((name for name in names if name in (*BASELINES, ACTUAL)), None)
    if taken is not None:
        raise InputError(f"{taken}: found a run of this name, which tables give to another row; "
                         "rename its folder")  # fmt: skip
    return tuple(
        PairedRun(name, place, _architecture(place))
        for name, place in zip(names, places, strict=True)
    )


def _architecture(folder: str) -> str:
    described = RunFolder(folder).describe(TASK)
    if described["source"].get("b"):
        raise InputError(
            f"{folder}: found a run on sequences, wanted one on paired slices; translate with it, "
            "then score the store that it makes"
        )
    return str(described["settings"].get("architecture", ""))


@dataclass(frozen=True)
class Block:
    """Some slices and what makes the other image of them.

    Parameters
    ----------
    name : str
        Of the translation.
    first, last : int
        Slices, from the first to before the last.
    part : str
        Name of the part that holds what came of it.
    how : dict
        What :func:`score_part` is to be told: a run's folder, or what is made without a network.
    """

    name: str
    first: int
    last: int
    part: str
    how: dict[str, Any]


def blocks_of(runs: Sequence[PairedRun], store: Store, survey: Survey) -> list[Block]:
    """Return all that is to be scored: each run, and all without a network, on all slices.

    A part is named after weights, store and slices: whatever else is evaluated, it stays the same.

    Raises
    ------
    InputError
        If a run has no weights.
    """
    hows: dict[str, dict[str, Any]] = {run.name: {"run": run.folder} for run in runs}
    hows |= {
        ACTUAL: {"map": ACTUAL},
        COPY: {"map": COPY},
        LIKELIEST: {"map": likeliest_levels(survey.joint).tolist()},
        MEAN: {"map": mean_levels(survey.joint).tolist()},
    }
    identities = {run.name: digest_of(run.folder) for run in runs}
    seal = store.location.read(SEAL).decode()
    found = []
    for name, how in hows.items():
        identity = identities.get(name, name)
        for first in range(0, len(survey.planes), SLICES_OF_PART):
            about = json.dumps([identity, seal, first, SLICES_OF_PART, FILES.version])
            part = f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.npz"
            last = min(first + SLICES_OF_PART, len(survey.planes))
            found.append(Block(name, first, last, part, how))
    return found


def score_part(
    folder: str, store: str, first: int, last: int, how: Mapping[str, Any], levels: Sequence[float],
    examples: Sequence[int], name: str,
) -> None:  # fmt: skip
    """Make and score the other images of some slices, and write a part of an evaluation.

    Parameters
    ----------
    folder : str
        Of the evaluation.
    store : str
        Its place.
    first, last : int
        Slices.
    how : mapping
        See :class:`Block`.
    levels : sequence of float
        Lowest and highest intensity of the images given, then of those to be made.
    examples : sequence of int
        Slices whose generated image is kept.
    name : str
        Of the part.
    """
    slices = slices_of(store)
    canvas = slices.store.layout.shape[1:]
    given, made = Levels(*levels[:2]), Levels(*levels[2:])
    translate = _translation(how, given, made, canvas)
    scores = []
    joint = np.zeros((256, 256), np.int64)
    power = np.zeros(canvas)
    kept: dict[int, NDArray[np.float32]] = {}
    for begin in range(first, last, BATCH):
        some = slices[begin : min(begin + BATCH, last)]
        for one, generated in zip(some, translate(some), strict=True):
            size = one.image.shape
            actual = made.of(padded(one.image_b, canvas))
            body = body_in(one, given, made)
            scores.append(scores_of(actual, generated, body, size))
            joint += joint_levels(given.of(padded(one.image, canvas)), generated)
            power += power_of(generated)
            if one.index in examples:
                kept[one.index] = generated.astype(np.float32)
    shown = sorted(kept)
    EvaluationFolder(folder, FILES).write_part(name, {
        "scores": np.array(scores),
        "joint": joint,
        "power": power.astype(np.float32),
        "examples": np.array(shown, np.int64),
        "generated": np.stack([kept[index] for index in shown]) if shown
        else np.empty((0, *canvas), np.float32),
    })  # fmt: skip


Translate = Callable[[Sequence[Slice]], Sequence[NDArray[np.float64]]]


def _translation(
    how: Mapping[str, Any], given: Levels, made: Levels, canvas: tuple[int, int]
) -> Translate:
    """Return what makes of slices images on the canvas, in levels."""
    if "run" in how:
        import torch

        from ..applying import load

        translator = load(how["run"])

        def generate(some: Sequence[Slice]) -> list[NDArray[np.float64]]:
            threads = torch.get_num_threads()
            torch.set_num_threads(1)  # the other cores have slices of their own
            try:
                if getattr(translator, "alone", False):
                    return [made.of(padded(translator(one.image), canvas)) for one in some]
                images = np.stack([padded(one.image, canvas) for one in some])
                return [made.of(image) for image in translator.batch(images)]
            finally:
                torch.set_num_threads(threads)

        return generate
    if how["map"] == ACTUAL:
        return lambda some: [made.of(padded(one.image_b, canvas)) for one in some]
    if how["map"] == COPY:
        return lambda some: [given.of(padded(one.image, canvas)) for one in some]
    by_level = np.asarray(how["map"], np.float64)
    return lambda some: [by_level[given.bins(padded(one.image, canvas))] for one in some]
