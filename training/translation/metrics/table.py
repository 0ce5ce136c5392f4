"""The table of a translation (Ali et al. 2022, Table 1): scores over all pairs, mean and SD."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .features import Features, FeatureSettings, histogram, k_space
from .spatial import bhattacharyya, correlations, structural_similarities
from .temporal import spectrum_correlations

PAIR_METRICS = {
    "histogram_distance": "DBhat ↓",
    "histogram_correlation": "Corr ↑",
    "k_space_similarity": "SSI ↑",
    "spectrum_correlation": "Corr Psd ↑",
}
"""Scores of pairs of sequences, and the paper's headings."""

CONTENT_METRICS = {"cross_correlation": "xCorr", "lag": "Lag, ms"}
"""Scores of a sequence and its translation. The paper marks xCorr with an arrow that points down,
though its text takes high values for kept content; here there is none."""

METRICS = {**PAIR_METRICS, **CONTENT_METRICS}

NO_TRANSLATION = "No translation"
EXPERIMENTAL = "Exp to Exp"


@dataclass(frozen=True)
class Score:
    """Mean and SD of some values.

    Parameters
    ----------
    mean, sd : float
        NaN where there are none; the SD (n - 1) also where there is only one.
    count : int
        Values.
    """

    mean: float
    sd: float
    count: int

    def __str__(self) -> str:
        """Return it as the paper writes it: mean (SD)."""
        if math.isnan(self.mean):
            return "–"
        return f"{self.mean:.2f}" + ("" if math.isnan(self.sd) else f" ({self.sd:.2f})")


def score_of(values: ArrayLike) -> Score:
    """Return mean and SD of the values that are known: those that are not NaN."""
    found = np.asarray(values, np.float64).ravel()
    found = found[~np.isnan(found)]
    return Score(
        float(found.mean()) if found.size else math.nan,
        float(found.std(ddof=1)) if found.size > 1 else math.nan,
        found.size,
    )


def pool(scores: Sequence[Score]) -> Score:
    """Return mean and SD of all values of which some scores are the means and SDs."""
    known = [score for score in scores if score.count]
    count = sum(score.count for score in known)
    if not count:
        return Score(math.nan, math.nan, 0)
    mean = sum(score.count * score.mean for score in known) / count
    squares = sum(
        score.count * (score.mean - mean) ** 2
        + (score.sd**2 * (score.count - 1) if score.count > 1 else 0.0)
        for score in known
    )
    return Score(mean, math.sqrt(squares / (count - 1)) if count > 1 else math.nan, count)


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Parameters
    ----------
    direction : str
        ``"Sim to Exp"`` or ``"Exp to Exp"``.
    name : str
        The translation's; :data:`NO_TRANSLATION` where there is none.
    scores : dict of str to Score
        By the names of :data:`METRICS`; those that do not apply are not in it.
    sequences : int
        Sequences that were compared with the experimental ones; 0 if that is not known.
    pairs : int
        Pairs of sequences.
    """

    direction: str
    name: str
    scores: dict[str, Score]
    sequences: int = 0
    pairs: int = 0


def cells_of(row: Row) -> list[str]:
    """Return a row's cells as text, in the order of :data:`METRICS`."""
    return [str(row.scores[name]) if name in row.scores else "–" for name in METRICS]


def compare(
    first: Sequence[Features], second: Sequence[Features], settings: FeatureSettings
) -> dict[str, NDArray[np.float64]]:
    """Compare every sequence with every other one.

    Parameters
    ----------
    first, second : sequences of Features
        Of one frame rate and length.
    settings : FeatureSettings

    Returns
    -------
    dict of str to float64 array of shape (first, second)
        By the names of :data:`PAIR_METRICS`.

    Raises
    ------
    InputError
        If images are too small for the windows of structural similarity, or spectra do not match.
    """

    def stack(
        sequences: Sequence[Features],
        function: Callable[[NDArray[np.float32], FeatureSettings], NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        return np.stack([function(features.variance, settings) for features in sequences])

    ours, theirs = stack(first, histogram), stack(second, histogram)
    return {
        "histogram_distance": bhattacharyya(ours, theirs),
        "histogram_correlation": correlations(ours, theirs),
        "k_space_similarity": structural_similarities(
            stack(first, k_space), stack(second, k_space), settings.window
        ),
        "spectrum_correlation": spectrum_correlations(first, second, settings),
    }


def cross_row(
    name: str, first: Sequence[Features], experimental: Sequence[Features],
    settings: FeatureSettings,
) -> Row:  # fmt: skip
    """Compare all sequences with all experimental ones; see :func:`compare`."""
    found = compare(first, experimental, settings)
    scores = {metric: score_of(values) for metric, values in found.items()}
    return Row("Sim to Exp", name, scores, len(first), len(first) * len(experimental))


def within_row(experimental: Sequence[Features], settings: FeatureSettings) -> Row:
    """Compare all experimental sequences with one another, each pair once, none with itself."""
    found = compare(experimental, experimental, settings)
    pairs = np.triu_indices(len(experimental), 1)
    scores = {metric: score_of(values[pairs]) for metric, values in found.items()}
    return Row(EXPERIMENTAL, NO_TRANSLATION, scores, len(experimental), len(pairs[0]))


def _published(direction: str, name: str, *values: tuple[float, float]) -> Row:
    scores = (Score(mean, sd, 0) for mean, sd in values)
    return Row(direction, name, dict(zip(METRICS, scores, strict=False)))


PAPER = (
    _published("Sim to Exp", NO_TRANSLATION,
               (0.33, 0.11), (0.54, 0.26), (0.32, 0.18), (0.96, 0.01)),
    _published("Sim to Exp", "2D cycleGAN",
               (0.43, 0.10), (0.32, 0.19), (0.49, 0.12), (0.90, 0.02), (0.61, 0.09), (-2.0, 64.6)),
    _published("Sim to Exp", "Recycle GAN",
               (0.39, 0.11), (0.39, 0.20), (0.65, 0.14), (0.96, 0.01), (0.51, 0.07), (-1.9, 70.8)),
    _published("Sim to Exp", "3D cycleGAN default",
               (0.25, 0.09), (0.67, 0.21), (0.49, 0.08), (0.90, 0.02), (0.89, 0.04), (1.3, 2.4)),
    _published("Sim to Exp", "3D cycleGAN (stride 1)",
               (0.27, 0.12), (0.65, 0.25), (0.63, 0.09), (0.97, 0.01), (0.93, 0.03), (-1.7, 2.2)),
    _published("Sim to Exp", "3D cycleGAN (stride 1 + noise)",
               (0.25, 0.10), (0.69, 0.23), (0.65, 0.10), (0.97, 0.01), (0.93, 0.03), (1.4, 2.2)),
    _published(EXPERIMENTAL, NO_TRANSLATION,
               (0.26, 0.11), (0.66, 0.25), (0.74, 0.12), (0.98, 0.01)),
)  # fmt: skip
"""Table 1 of Ali et al. 2022 ("Modelling intra-muscular contraction dynamics using in silico to in
vivo domain translation", BioMedical Engineering OnLine): 64 sequences of each domain, of which B is
recorded. Its settings differ from ours where it leaves them open, so rows are to be compared with
one another, not digit by digit with these."""

PAIRS = (
    "Scores of pairs are mean (SD) over all pairs of a sequence and an experimental one; Exp to "
    "Exp over all pairs of different experimental sequences. xCorr and lag are mean (SD) over all "
    "pixels that move in input and output, of all sequences; a positive lag means that the output "
    "comes later."
)
"""What the table's rows run over, to stand beside it."""


def table_row(row: Row) -> dict[str, Any]:
    """Return a row of the table as plain values, by column."""
    values: dict[str, Any] = {"direction": row.direction, "translation": row.name}
    values |= {"sequences": row.sequences or "", "pairs": row.pairs or ""}
    for name in METRICS:
        score = row.scores.get(name, Score(math.nan, math.nan, 0))
        values |= {name: score.mean, f"{name}_sd": score.sd}
    return values


def plain(value: Any) -> Any:
    """Return values as JSON knows them: NaN as None."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
