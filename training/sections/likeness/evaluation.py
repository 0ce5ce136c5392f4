"""Putting images to the test: two sets compared, with tables and figures in a folder."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ....datasets.location import Location
from ....datasets.origin import software_versions
from ....simulator.seeds import check_seed
from ...evaluations import EvaluationFiles, EvaluationFolder
from ...translation.metrics.table import Score, plain, score_of
from ..image_sets import ImageSet, read_image_set
from .comparison import Likeness, compare_images
from .distributions import DISTRIBUTIONS
from .features import FeatureExtractor
from .grey_levels import ENTROPIES, GREY_LEVELS
from .memorisation import Nearest
from .network_features import FILTERS, extractor_of
from .pairs import PAIR_SCORES, PUBLISHED_SCALE
from .perceptual import AVAILABLE, UNAVAILABLE
from .published import (
    FID,
    GREY_PUBLISHED,
    PAIRS_PUBLISHED,
    SSIM_WITHIN_PUBLISHED,
    span,
)
from .training_images import training_images

SETTINGS = "likeness.json"
IMAGES = "images.csv"
PAIRS_TABLE = "pairs.csv"
MEASURES = "measures.csv"
CAPTIONS = "figures.json"

FILES = EvaluationFiles(
    settings=SETTINGS,
    keys=frozenset(("real", "other", "likeness")),
    tables=(IMAGES, PAIRS_TABLE, MEASURES),
    figures=r"likeness-(?:images|histograms|pairs|features|neighbours)",
    captions=CAPTIONS,
)
"""What the folder of an evaluation holds."""


def evaluate_images(
    real: Any,
    other: Any,
    out: str | Path | None = None,
    *,
    train: Any | None = None,
    features: str | FeatureExtractor = FILTERS,
    seed: int = 0,
    overwrite: bool = False,
) -> Likeness:
    """Tell how alike two sets of images are, as Katakis et al. 2023 do, and beyond.

    Parameters
    ----------
    real, other : str, path, Store or ImageSet
        Stores of images of the longitudinal section, or folders of images, see
        :func:`..image_sets.read_image_set`.
    out : path, optional
        A local folder for tables and figures; without it nothing is written.
    train : str, path, Store or ImageSet, optional
        What the model was trained on that made the other images; if not given, what the store
        says that a run has sampled.
    features : str or FeatureExtractor
        What sets are compared by: ``"filters"``, ``"network"`` for the network that comes with
        musim, the folder of a run of ``musim train segment``, or any other.
    seed : int
        Of the draws of pairs and of halves, 0 or more.
    overwrite : bool
        Whether to replace an evaluation that is there.

    Returns
    -------
    Likeness

    Raises
    ------
    InputError
        If there are too few images, they cannot be read, or something is at `out` already.
    """
    check_seed(seed)
    folder = None if out is None else EvaluationFolder(out, FILES)
    if folder is not None:
        folder.check(overwrite=overwrite)
    extractor = features if isinstance(features, FeatureExtractor) else extractor_of(features)
    known, remarks = training_images(other) if train is None else (_read(train), ())
    found = compare_images(_read(real), _read(other), known, extractor=extractor, seed=seed)
    found = replace(found, remarks=(*remarks, *found.remarks))
    if folder is not None:
        from .figures import draw_charts  # matplotlib is imported where something is drawn

        addresses = {"real": _address(real), "other": _address(other)}
        if known is not None:
            addresses["train"] = (
                f"as {addresses['other']} tells" if train is None else _address(train)
            )
        with folder.at_work(overwrite=overwrite) as place:
            place.write_settings(
                {
                    **addresses,
                    "likeness": summary(found),
                    "seed": seed,
                    "software": software_versions(),
                }
            )
            place.write_charts(draw_charts(found))
            place.write_table(IMAGES, image_rows(found))
            place.write_table(PAIRS_TABLE, pair_rows(found))
            place.write_table(MEASURES, measure_rows(summary(found)))
    return found


def _read(place: Any) -> ImageSet:
    return place if isinstance(place, ImageSet) else read_image_set(place)


def _address(place: Any) -> str:
    if isinstance(place, ImageSet):
        return f"{len(place)} images, {place.names[0]} to {place.names[-1]}"
    return place.location.address if hasattr(place, "location") else Location(str(place)).address


def summary(found: Likeness) -> dict[str, Any]:
    """Return all numbers and remarks as plain values, as JSON knows them.

    Returns
    -------
    dict
        ``images``, ``grey_levels``, ``pairs``, ``distributions`` and ``memorisation`` by their
        measures; ``text``, a list of sentences that belong beside each of these; ``remarks``.
    """
    memory = found.memorisation
    real, _, features = found.distances.numbers
    return plain(
        {
            "images": {
                "real": len(found.real),
                "real_groups": real,
                "other": len(found.other),
                "train": None if found.train is None else len(found.train),
                "size": list(found.real.size),
                "near_twins": {"real": found.twins[0], "other": found.twins[1]},
            },
            "grey_levels": {
                name: {"real": asdict(ours), "other": asdict(theirs)}
                for name, (ours, theirs) in found.grey_scores().items()
            }
            | {
                "histogram_distance": found.histograms[0],
                "histogram_correlation": found.histograms[1],
            },
            "pairs": {
                name: {where: asdict(score_of(getattr(scores, name)))
                       for where, scores in found.pairs.items()}
                for name in PAIR_SCORES
            },
            "distributions": {
                name: {
                    "all": found.distances.whole[name],
                    "other": asdict(found.distances.equal[name]),
                    "real": asdict(found.distances.floor[name]),
                }
                for name in DISTRIBUTIONS
            },
            "numbers": {
                "features": features, "half": found.distances.halves[0],
                "drawn": found.distances.halves[1], "explained": found.explained.tolist(),
            },
            "memorisation": {
                "other": asdict(score_of(memory.other.correlation)),
                "held_out": asdict(score_of(memory.held_out.correlation)),
                "nearer": memory.nearer,
                "copies": memory.copies,
                "held_out_copies": memory.held_out_copies,
                "beyond": memory.beyond,
                "left_out": memory.left_out,
                "by_group": memory.by_group,
            },
            "text": _texts(found),
            "remarks": list(found.remarks),
        }
    )  # fmt: skip


def _texts(found: Likeness) -> dict[str, list[str]]:
    real, other, features = found.distances.numbers
    half, drawn = found.distances.halves
    within = SSIM_WITHIN_PUBLISHED
    return {
        "grey_levels": [ENTROPIES, GREY_PUBLISHED],
        "pairs": [
            "Mean (SD) over pairs of images, drawn by chance; within a set never of one group. "
            f"Katakis et al. 2023 report {span(PAIRS_PUBLISHED['psnr_published'], 1)} dB and "
            f"{span(PAIRS_PUBLISHED['ssim_published'], 3)} between real and sampled images, "
            f"{span(within['real'], 3)} within real and {span(within['other'], 3)} within sampled "
            "ones.",
            PUBLISHED_SCALE,
            UNAVAILABLE if np.isnan(found.pairs["between"].lpips).all() else AVAILABLE,
        ],
        "distributions": [
            FID.format(features=found.extractor, published=span(PAIRS_PUBLISHED["fid"], 1)),
            f"All: {real} real images, one a group, and {other} other ones, near twins too, of "
            f"{features} features. These measures depend on how many images there are; so beside "
            "them stand mean (SD) over splits of the real images into halves by group: "
            f"{half} real images against {drawn} other ones, and against {drawn} of the other "
            "half, which tells what is reached if nothing differs.",
        ],
        "memorisation": [found.memorisation.describe()],
    }


def measure_rows(numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each measure, and what it is of, of a :func:`summary`."""
    rows = []
    for table in ("grey_levels", "pairs", "distributions", "memorisation"):
        for measure, values in numbers[table].items():
            each = values if isinstance(values, Mapping) else {"": values}
            if {"mean", "sd", "count"} <= each.keys():
                each = {"": each}
            for where, value in each.items():
                score = value if isinstance(value, Mapping) else asdict(_single(value))
                rows.append({"table": table, "measure": measure, "of": where,
                             **{name: "" if score[name] is None else score[name]
                                for name in ("mean", "sd", "count")}})  # fmt: skip
    return rows


def _single(value: Any) -> Score:
    number = float("nan") if value is None else float(value)
    return Score(number, float("nan"), 1)


def image_rows(found: Likeness) -> list[dict[str, Any]]:
    """Return a row for each image: its grey levels, place among features, nearest image."""
    known = found.real if found.train is None or found.memorisation.by_group else found.train
    reference = found.train or found.real
    memory = found.memorisation
    rows = []
    for label, images, grey, places in (
        ("real", found.real, found.grey[0], found.components[0]),
        ("other", found.other, found.grey[1], found.components[1]),
    ):
        near: dict[int, tuple[Nearest, int]] = (
            {int(i): (memory.held_out, k) for k, i in enumerate(memory.held_out_images)}
            if label == "real"
            else {k: (memory.other, k) for k in range(len(images))}
        )
        against = known if label == "real" else reference
        for index, name in enumerate(images.names):
            row = {"set": label, "image": name, "group": int(images.groups[index])}
            row |= {measure: float(getattr(grey, measure)[index]) for measure in GREY_LEVELS}
            row |= {f"component_{k + 1}": float(places[index, k]) for k in range(2)}
            nearest, place = near.get(index, (None, 0))
            row |= {
                "nearest": "" if nearest is None else against.names[nearest.index[place]],
                "nearest_correlation": "" if nearest is None else float(nearest.correlation[place]),
                "nearest_mirrored": "" if nearest is None else bool(nearest.mirrored[place]),
            }
            rows.append(row)
    return rows


def pair_rows(found: Likeness) -> list[dict[str, Any]]:
    """Return a row for each pair of images that was scored."""
    sets = {"between": (found.real, found.other), "real": (found.real,) * 2,
            "other": (found.other,) * 2}  # fmt: skip
    return [
        {
            "of": where,
            "first": sets[where][0].names[scores.first[k]],
            "second": sets[where][1].names[scores.second[k]],
            **{name: float(getattr(scores, name)[k]) for name in PAIR_SCORES},
        }
        for where, scores in found.pairs.items()
        for k in range(len(scores.first))
    ]
