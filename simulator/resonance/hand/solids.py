"""Smooth solids: chains of tapered limbs with elliptical cross-sections."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

ACROSS = (1.0, 0.0, 0.0)
"""Across the hand: what a cross-section's first half-axis lies along, if nothing else is said."""

COLUMNS = 20
"""Numbers of a segment: its start, three axes, length, half-axes at both ends, crusts at both ends
and depth of its caps."""


@dataclass(frozen=True)
class Chain:
    """A solid along a line of nodes.

    Its cross-sections are ellipses whose half-axes run straight from node to node; its ends are
    halves of ellipsoids.

    Parameters
    ----------
    nodes : float64 array of shape (node, 3)
        mm, across (x), through (y, to the palm) and along the hand (z, to the fingertips).
    half : float64 array of shape (node, 2)
        Half-axes at each node, mm: along `lateral`, and across that and the line.
    label : int
        Of its tissue.
    lateral : (float, float, float)
        Direction of the first half-axis; what of it lies along the line is left out.
    crust : float64 array of shape (node,)
        Thickness of what surrounds it inside, mm: cortical bone.
    cap : float
        Depth of its ends over the smaller half-axis there.
    """

    nodes: NDArray[np.float64]
    half: NDArray[np.float64]
    label: int = 0
    lateral: tuple[float, float, float] = ACROSS
    crust: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    cap: float = 1.0

    def grown(self, millimetres: float, label: int) -> "Chain":
        """Return what surrounds it, of another tissue."""
        half = np.maximum(self.half + millimetres, 0.05)
        return Chain(self.nodes, half, label, self.lateral, self.crust, self.cap)

    def segments(self) -> NDArray[np.float64]:
        """Return its segments, float64 (segment, :data:`COLUMNS`)."""
        starts, ways = self.nodes[:-1], np.diff(self.nodes, axis=0)
        lengths = np.linalg.norm(ways, axis=1, keepdims=True)
        along = ways / lengths
        lateral = np.asarray(self.lateral) - (along @ np.asarray(self.lateral))[:, None] * along
        size = np.linalg.norm(lateral, axis=1, keepdims=True)
        spare = np.cross(along, np.roll(along, 1, axis=1))
        spare /= np.maximum(np.linalg.norm(spare, axis=1, keepdims=True), 1e-9)
        lateral = np.where(size > 1e-3, lateral / np.maximum(size, 1e-9), spare)
        crust = self.crust if len(self.crust) else np.zeros(len(self.nodes))
        ends = [self.half[:-1], self.half[1:], crust[:-1, None], crust[1:, None]]
        caps = np.full((len(starts), 1), self.cap)
        return np.hstack([starts, lateral, np.cross(along, lateral), along, lengths, *ends, caps])


@dataclass(frozen=True)
class Packed:
    """Chains as kernels take them.

    Parameters
    ----------
    segments : float64 array of shape (segment, :data:`COLUMNS`)
    starts : int64 array of shape (chain + 1,)
        First segment of each chain, and the number of all.
    labels : uint8 array of shape (chain,)
    """

    segments: NDArray[np.float64]
    starts: NDArray[np.int64]
    labels: NDArray[np.uint8]

    def moved(self, matrix: NDArray[np.float64], offset: NDArray[np.float64]) -> "Packed":
        """Return them where a rotation or reflection, and a shift after it, put them."""
        segments = self.segments.copy()
        segments[:, :3] = segments[:, :3] @ matrix.T + offset
        for axis in (3, 6, 9):
            segments[:, axis : axis + 3] = segments[:, axis : axis + 3] @ matrix.T
        return Packed(segments, self.starts, self.labels)


def pack(chains: Iterable[Chain]) -> Packed:
    """Return chains as arrays."""
    chains = list(chains)
    parts = [chain.segments() for chain in chains]
    counts = [len(part) for part in parts]
    return Packed(
        np.concatenate([*parts, np.zeros((0, COLUMNS))]),
        np.cumsum([0, *counts], dtype=np.int64),
        np.array([chain.label for chain in chains], np.uint8),
    )


def smooth(nodes: ArrayLike, half: ArrayLike, pieces: int = 6) -> tuple[
    NDArray[np.float64], NDArray[np.float64]
]:  # fmt: skip
    """Return a smooth line through nodes, with half-axes that run along with it.

    The curve of Catmull and Rom (1974, doi:10.1016/B978-0-12-079050-0.50020-5).

    Parameters
    ----------
    nodes : array_like of shape (node, 3)
    half : array_like of shape (node, 2), or of shape (2,) for all
    pieces : int
        Straight pieces between two nodes.
    """
    points = np.asarray(nodes, np.float64)
    widths = np.broadcast_to(np.asarray(half, np.float64), (len(points), 2))
    values = np.hstack([points, widths])
    before, after = 2 * values[0] - values[1], 2 * values[-1] - values[-2]
    padded = np.vstack([before, values, after])
    t = np.linspace(0, 1, pieces, endpoint=False)[:, None]
    curves = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
               + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]  # fmt: skip
    found = np.vstack([*curves, values[-1]])
    return found[:, :3], np.maximum(found[:, 3:], 0.05)


def cord(
    nodes: ArrayLike, half: ArrayLike, label: int, *, pieces: int = 6,
    lateral: tuple[float, float, float] = ACROSS,
) -> Chain:  # fmt: skip
    """Return a smooth cord through nodes: a tendon, a vessel, a muscle."""
    points, widths = smooth(nodes, half, pieces)
    return Chain(points, widths, label, lateral)


def spindle(nodes: ArrayLike, half: ArrayLike, label: int, bulk: float) -> Chain:
    """Return a muscle through nodes whose half-axes are those given, times its bulk."""
    return cord(nodes, np.asarray(half) * bulk, label, pieces=3)
