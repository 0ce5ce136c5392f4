"""The model that all methods share, in the whitened components of a recording.

Each pixel is a sum of the trains of the units that it belongs to, times its memberships, plus
noise: ``Y = M T``. Energies are negative logarithms of likelihoods.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..firing import firings
from ..noise import Whitened
from ..units import Recording, Units, none

PRESENCE = 4.0
"""What belonging to a unit costs a pixel: a unit takes up about 2 % of an image."""

PARTIAL = 4.0
"""What a membership other than 0 and 1 costs besides."""

BORDER = 2.0
"""What a step of 1 between the memberships of two neighbouring pixels costs."""

MISFIT = 0.05
"""Share of a pixel's velocity that the model need not explain."""

MOST = 1.5
"""Largest membership while fitting: amplitudes may vary within a unit."""

SAFETY = 1.3
"""Noise is not quite what it is taken for: evidence has to exceed what it gives by this factor."""

SWEEPS = 20


@dataclass
class Model:
    """A recording's whitened components and the units that explain them so far.

    Parameters
    ----------
    whitened : Whitened
    weight : float64 array of shape (pixel,)
        Inverse variance of what the model need not explain.
    membership : float64 array of shape (pixel, unit)
        0..1.5.
    trains : float64 array of shape (unit, component)
    """

    whitened: Whitened
    weight: NDArray[np.float64]
    membership: NDArray[np.float64]
    trains: NDArray[np.float64]

    @classmethod
    def of(cls, whitened: Whitened, trains: NDArray[np.float64]) -> "Model":
        """Start from trains, float64 (unit, component), and no memberships."""
        values = whitened.values
        variance = np.square(whitened.noise.sd.ravel())
        energy = np.square(values).sum(axis=1, dtype=np.float64)
        weight = 1 / (variance + (MISFIT / 2) ** 2 * energy)
        return cls(whitened, weight, np.zeros((len(values), len(trains))), trains)

    @property
    def count(self) -> int:
        """Number of units."""
        return len(self.trains)

    def copy(self) -> "Model":
        """Return a model whose units can be changed without changing these."""
        return Model(self.whitened, self.weight, self.membership.copy(), self.trains.copy())

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Drop all units but those chosen."""
        self.membership = np.ascontiguousarray(self.membership[:, chosen])
        self.trains = self.trains[chosen]

    def add(self, trains: NDArray[np.float64]) -> bool:
        """Add units that have trains, float64 (unit, component), but no pixels yet, if any."""
        empty = np.zeros((len(self.membership), len(trains)))
        self.membership = np.concatenate([self.membership, empty], axis=1)
        self.trains = np.concatenate([self.trains, trains])
        return len(trains) > 0

    def residual(self) -> NDArray[np.float32]:
        """Return what the units do not explain, float32 (pixel, component)."""
        explained = self.membership.astype(np.float32) @ self.trains.astype(np.float32)
        return np.asarray(self.whitened.values - explained, np.float32)

    def fit_memberships(self, chosen: NDArray[np.bool_] | None = None) -> None:
        """Find memberships, given the trains: those of chosen pixels first, or of all."""
        from .membership_kernels import descend

        if self.count == 0:
            return
        products, gram = self._products()
        if chosen is None:
            chosen = np.ones(len(self.membership), np.bool_)
        descend(
            products, gram, self.weight, self.membership, np.array(self.whitened.shape[1:]),
            np.array([PRESENCE, PARTIAL, BORDER, MOST]), np.ones(self.count, np.bool_),
            chosen.copy(), SWEEPS,
        )  # fmt: skip

    def fit_trains(self) -> None:
        """Find all trains jointly by least squares, given the memberships."""
        if self.count == 0:
            return
        weighted = self.membership * self.weight[:, None]
        gram = self.membership.T @ weighted
        gram[np.diag_indices(self.count)] += 1e-6 * gram.diagonal() + 1e-30
        products = weighted.T @ self.whitened.values.astype(np.float64)
        self.trains = np.asarray(np.linalg.solve(gram, products), np.float64)

    def rescale(self) -> None:
        """Scale each unit so that its typical membership is 1."""
        for unit in range(self.count):
            values = self.membership[:, unit]
            values = values[values > 0.5 * values.max(initial=0.0)]
            scale = float(np.median(values)) if values.size else 1.0
            if abs(scale - 1) > 0.01:
                self.membership[:, unit] /= scale
                self.trains[unit] = scale * self.trains[unit]
        np.minimum(self.membership, MOST, out=self.membership)

    def support(
        self, chosen: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each unit's evidence and how much of it noise alone would give.

        The evidence is by how much the residual's energy grows when the unit is taken away and the
        others fill in for it as well as they can.

        Parameters
        ----------
        chosen : bool array of shape (unit,), optional
            Units to look at; the evidence of others is given as 0.

        Returns
        -------
        evidence, needed : float64 arrays of shape (unit,)
        """
        from .membership_kernels import descend

        products, gram = self._products()
        evidence = np.zeros(self.count)
        energy = self.energy()
        without = self.membership.copy()
        for unit in range(self.count) if chosen is None else np.flatnonzero(chosen):
            pixels = self.membership[:, unit] > 0
            without[:, unit] = 0
            descend(
                products, gram, self.weight, without, np.array(self.whitened.shape[1:]),
                np.array([PRESENCE, PARTIAL, BORDER, MOST]), np.arange(self.count) != unit,
                pixels.copy(), 2,
            )  # fmt: skip
            changed = pixels | np.any(without != self.membership, axis=1)
            evidence[unit] = (self.energy(changed, without) - energy[changed]).sum()
            without[changed] = self.membership[changed]
        return evidence, self.needed((self.membership > 0.5).sum(axis=0).astype(np.float64))

    def needed(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the evidence that the best of all trains and places has by chance.

        The largest singular value of n pixels of noise in r components is about sqrt(n) + sqrt(r a)
        where a pixels are alike (Davidson and Szarek 2001, doi:10.1016/S1874-5849(01)80010-3, for
        a = 1), and the largest of as many as there are pixels lies sqrt(2 ln pixels) above. Each
        pixel pays for belonging to the unit besides.
        """
        pixels, components = self.whitened.values.shape
        alike = np.minimum(self.whitened.noise.area, np.maximum(sizes, 1.0))
        largest = np.sqrt(sizes) + np.sqrt(components * alike) + math.sqrt(2 * math.log(pixels))
        return SAFETY * np.square(largest) + 2 * PRESENCE * sizes

    def _products(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        products = self.whitened.values @ self.trains.T.astype(np.float32)
        return products.astype(np.float64), self.trains @ self.trains.T

    def energy(
        self,
        pixels: NDArray[np.bool_] | slice = slice(None),
        membership: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return the weighted squares of what is left of the pixels, float64 (pixel,)."""
        membership = self.membership if membership is None else membership
        explained = membership[pixels].astype(np.float32) @ self.trains.astype(np.float32)
        rest = self.whitened.values[pixels] - explained
        return np.square(rest).sum(axis=1) * self.weight[pixels]


def connected(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the mask's parts, joined by their sides, numbered from 1; 0 is outside."""
    parts: NDArray[np.int64] = np.zeros(mask.shape, np.int64)
    scipy.ndimage.label(mask, output=parts)
    return parts


def units_of(
    recording: Recording,
    model: Model,
    evidence: NDArray[np.float64],
    needed: NDArray[np.float64],
) -> Units:
    """Return a model's units in the recording's terms, those with most evidence first.

    The confidence is 1 less the share of a unit's evidence that noise alone would give.
    """
    if model.count == 0:
        return none(recording)
    confidence = np.clip(1 - needed / np.maximum(evidence, 1e-30), 0.0, 1.0)
    order = np.argsort(-confidence, kind="stable")
    territory = np.minimum(model.membership.T[order], 1.0).astype(np.float32)
    trains = model.whitened.trains(model.trains[order])
    return Units(
        territory=territory.reshape(model.count, *recording.tvi.shape[1:]),
        train=trains,
        firing=firings(trains, recording.frame_rate),
        confidence=confidence[order],
    )
