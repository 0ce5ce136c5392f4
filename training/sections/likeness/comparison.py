"""Two sets of images, compared in all ways: what the numbers of an evaluation are made of."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....datasets.images.groups import near_twins, split_groups
from ....simulator.errors import InputError
from ...translation.metrics.spatial import bhattacharyya, correlations
from ...translation.metrics.table import Score, score_of
from ..image_sets import ImageSet
from .distributions import DISTRIBUTIONS, compare_distributions
from .features import FeatureExtractor, filter_bank, principal_components, standardised
from .grey_levels import GREY_LEVELS, GreyLevels, measure_grey_levels
from .memorisation import Memorisation, memorisation
from .pairs import PairScores, compare_pairs, draw_pairs
from .perceptual import perceptual_distance

LEAST = 2
"""Images of a set without which there is nothing to compare."""

SPLITS = 20
"""Splits of the real images into halves."""

SUBSET = 0x5AB5E7
"""Stands before the seed of a draw of images, so that no other draw is like it."""


@dataclass(frozen=True)
class Distances:
    """Measures of distributions: of all images, and at equal numbers beside halves of real ones.

    Parameters
    ----------
    whole : dict of str to float
        Of one real image a group, and all other images.
    equal : dict of str to Score
        Of half of the real images' groups and as many other images, over :data:`SPLITS` splits.
    floor : dict of str to Score
        Of that half and as many images of the other half: what the numbers are if nothing differs.
    numbers : tuple of int
        Real and other images of `whole`, features.
    halves : tuple of int
        Fewest real and other images of `equal` and `floor`.
    """

    whole: dict[str, float]
    equal: dict[str, Score]
    floor: dict[str, Score]
    numbers: tuple[int, int, int]
    halves: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike two sets of images are.

    Parameters
    ----------
    real, other : ImageSet
        Of one size.
    train : ImageSet or None
        What the model was trained on that made the other images, if that is known.
    grey : tuple of two GreyLevels
        Of the real, and of the other images.
    histograms : tuple of two float
        Bhattacharyya's distance and Pearson's correlation of both sets' mean histograms.
    pairs : dict of str to PairScores
        ``"between"`` the sets, ``"real"`` and ``"other"``: within one, of different groups.
    extractor : str
        Which features are compared.
    distances : Distances
    components : tuple of two arrays of shape (images, 2)
        Principal components of the features of real and other images.
    explained : (2,) array of float64
        Share of the variance that each explains.
    memorisation : Memorisation
    twins : tuple of two float
        Share of the images of each set that are nearly the same as another one of it.
    remarks : tuple of str
        What keeps numbers from being what they seem.
    """

    real: ImageSet
    other: ImageSet
    train: ImageSet | None
    grey: tuple[GreyLevels, GreyLevels]
    histograms: tuple[float, float]
    pairs: dict[str, PairScores]
    extractor: str
    distances: Distances
    components: tuple[NDArray[np.float64], NDArray[np.float64]]
    explained: NDArray[np.float64]
    memorisation: Memorisation
    twins: tuple[float, float]
    remarks: tuple[str, ...]

    def grey_scores(self) -> dict[str, tuple[Score, Score]]:
        """Return mean and SD over images of what is measured of grey levels, real and other."""
        return {
            name: tuple(score_of(getattr(one, name)) for one in self.grey)  # type: ignore[misc]
            for name in GREY_LEVELS
        }


def compare_images(
    real: ImageSet,
    other: ImageSet,
    train: ImageSet | None = None,
    *,
    extractor: FeatureExtractor | None = None,
    seed: int = 0,
) -> Likeness:
    """Compare two sets of images as Katakis et al. 2023 do (section 3.1), and with what that lacks.

    Parameters
    ----------
    real, other : ImageSet
        Those that differ in size from the real ones are resized to it.
    train : ImageSet, optional
        Images that the model was trained on which made the other ones.
    extractor : FeatureExtractor, optional
        :func:`.features.filter_bank`, if not given.
    seed : int
        Of the draws of pairs and halves.

    Returns
    -------
    Likeness

    Raises
    ------
    InputError
        If a set has fewer than two images, or they are too small.
    """
    for name, images in (("real", real), ("other", other)):
        if len(images) < LEAST:
            raise InputError(
                f"{name} images: found {len(images)}, wanted {LEAST} or more; take a set of several"
            )
    remarks = []
    sets = {"other": other} if train is None else {"other": other, "training": train}
    for name, images in sets.items():
        if images.size != real.size:
            remarks.append(
                f"{name} images of {images.size[0]} x {images.size[1]} px are resized to the real "
                f"ones' {real.size[0]} x {real.size[1]} px, which changes their texture"
            )
    other = other.resized(real.size)
    train = None if train is None else train.resized(real.size)
    extractor = extractor or filter_bank()
    features = standardised(extractor(real.images), extractor(other.images))
    distances = _distances(real, *features, seed)
    remarks += _remarks_on(distances)
    scores, explained = principal_components(np.concatenate(features))
    grey = measure_grey_levels(real.images), measure_grey_levels(other.images)
    means = [one.histogram.mean(axis=0)[None] for one in grey]
    perceptual = perceptual_distance()
    drawn = draw_pairs(real.groups, other.groups, seed)
    pairs = {
        "between": compare_pairs(real.images, other.images, drawn, perceptual),
        **{
            name: compare_pairs(
                one.images, one.images, draw_pairs(one.groups, None, seed), perceptual
            )
            for name, one in (("real", real), ("other", other))
        },
    }
    return Likeness(
        real, other, train, grey,
        (float(bhattacharyya(*means)[0, 0]), float(correlations(*means)[0, 0])),
        pairs, extractor.name, distances,
        (scores[: len(real)], scores[len(real) :]), explained,
        memorisation(
            real.images, real.groups, other.images, None if train is None else train.images
        ),
        (_twins(real), _twins(other)), tuple(remarks),
    )  # fmt: skip


def _distances(
    real: ImageSet, ours: NDArray[np.float64], theirs: NDArray[np.float64], seed: int
) -> Distances:
    """Compare features, of one real image a group: those that belong together tell hardly more."""
    single = np.sort(np.unique(real.groups, return_index=True)[1])
    ours = ours[single]
    equal: dict[str, list[float]] = {name: [] for name in DISTRIBUTIONS}
    floor: dict[str, list[float]] = {name: [] for name in DISTRIBUTIONS}
    halves: list[tuple[int, int]] = []
    for split in range(SPLITS if len(single) > 1 else 0):
        first, second = split_groups(np.arange(len(single)), (0.5, 0.5), _seed(seed, split))
        count = min(len(second), len(theirs), len(first))
        random = np.random.default_rng([SUBSET, seed, split])
        first = first[np.sort(random.permutation(len(first))[:count])]
        for kept, others in ((equal, theirs), (floor, ours[second])):
            drawn = np.sort(random.permutation(len(others))[:count])
            for name, value in compare_distributions(ours[first], others[drawn]).items():
                kept[name].append(value)
        halves.append((len(first), count))
    return Distances(
        compare_distributions(ours, theirs),
        {name: score_of(values) for name, values in equal.items()},
        {name: score_of(values) for name, values in floor.items()},
        (len(ours), len(theirs), ours.shape[1]),
        min(halves, default=(0, 0)),
    )


def _seed(seed: int, split: int) -> int:
    return int(np.random.SeedSequence([seed, split]).generate_state(1)[0])


def _remarks_on(found: Distances) -> list[str]:
    real, other, features = found.numbers
    remarks = []
    if min(real, other) <= features:
        remarks.append(
            f"{real} real and {other} other images are few for covariances of {features} features: "
            "nothing is added to these, which stay singular, and the Fréchet distance is too large "
            "by as much as that of real halves tells"
        )
    if any(math.isnan(score.mean) for score in found.floor.values()):
        remarks.append(
            f"{real} groups of real images are too few for halves: some numbers have nothing to be "
            "compared with"
        )
    return remarks


def _twins(images: ImageSet) -> float:
    groups = near_twins(images.images)
    return float((np.bincount(groups)[groups] > 1).mean())
