"""What each tissue shows in the two sequences."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .scan import Scan
from .signals import fast_spin_echo, fat_gradient_echo, spoiled_gradient_echo, water_gradient_echo
from .tissues import Tissue

OFFSETS = np.linspace(-200.0, 200.0, 81)
"""Of the field, Hz, for which gradient echoes are worked out; between them they run straight."""

LABELS = 256


@dataclass(frozen=True)
class Contrast:
    """Signals by label, over what free water in equilibrium would give.

    Parameters
    ----------
    water, fat : float32 and complex64 array of shape (label, offset)
        Of the gradient echo, where the field is off by :data:`OFFSETS`.
    water_b, fat_b : float32 array of shape (label,)
        Of the fast spin echo, in which both have one phase.
    grain, t2_grain : float32 array of shape (label,)
        See :class:`.tissues.Tissue`.
    """

    water: NDArray[np.float32]
    fat: NDArray[np.complex64]
    water_b: NDArray[np.float32]
    fat_b: NDArray[np.float32]
    grain: NDArray[np.float32]
    t2_grain: NDArray[np.float32]

    def on_resonance(self, label: int) -> tuple[float, float]:
        """Return how bright a tissue is in both sequences where the field is right."""
        middle = len(OFFSETS) // 2
        gradient = abs(self.water[label, middle] + self.fat[label, middle])
        return float(gradient), float(self.water_b[label] + self.fat_b[label])


def contrast_of(scan: Scan, tissues: Sequence[Tissue]) -> Contrast:
    """Return what tissues show in a scan."""
    count = len(OFFSETS)
    found = Contrast(
        np.zeros((LABELS, count), np.float32), np.zeros((LABELS, count), np.complex64),
        *(np.zeros(LABELS, np.float32) for _ in range(4)),
    )  # fmt: skip
    gradient = {
        "tr": scan.tr, "te": scan.te, "flip": scan.flip, "field": scan.field, "offset": OFFSETS,
        "excite_water": scan.excitation == "water",
    }  # fmt: skip
    echo = {
        "tr": scan.tr_b, "te": scan.te_b, "spacing": scan.echo_spacing,
        "refocusing": scan.refocusing, "train": scan.train,
    }  # fmt: skip
    for tissue in tissues:
        label = tissue.label
        found.grain[label], found.t2_grain[label] = tissue.grain, tissue.t2_grain
        if tissue.water:
            steady = water_gradient_echo(tissue.t1, tissue.t2_star, **gradient)
            # Fresh protons have not been excited before: their recovery is whole.
            fresh = np.sin(np.radians(scan.flip)) * np.exp(-scan.te / tissue.t2_star)
            found.water[label] = tissue.water * (
                (1 - tissue.inflow) * steady + tissue.inflow * fresh
            )
            spin = fast_spin_echo(tissue.t1, tissue.t2, **echo)
            found.water_b[label] = tissue.water * (1 - tissue.void) * spin
        if tissue.fat:
            found.fat[label] = tissue.fat * fat_gradient_echo(
                tissue.fat_t1, tissue.fat_t2_star, **gradient
            )
            found.fat_b[label] = tissue.fat * fast_spin_echo(tissue.fat_t1, tissue.fat_t2, **echo)
    return found


def with_marrow(tissues: Sequence[Tissue], labels: Sequence[int], density: float) -> list[Tissue]:
    """Return tissues of which some have another density of protons, over what they had."""
    return [
        dataclasses.replace(each, water=each.water * density, fat=each.fat * density)
        if each.label in labels
        else each
        for each in tissues
    ]


def reference_signals(scan: Scan) -> tuple[float, float]:
    """Return what the noise is measured by: muscle's gradient echo, fat's fast spin echo."""
    muscle = 0.82 * float(spoiled_gradient_echo(1420, 25, scan.tr, scan.te, scan.flip))
    fat = 0.9 * fast_spin_echo(
        371, 133, tr=scan.tr_b, te=scan.te_b, spacing=scan.echo_spacing,
        refocusing=scan.refocusing, train=scan.train,
    )  # fmt: skip
    return muscle, fat
