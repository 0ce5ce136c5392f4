"""The centre lines of the superficial and the deep aponeurosis, out of a mask that shows them."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .tracing import Chain, trace

DEGREE = 3
"""Of the polynomial that a centre line is: hand-drawn ones deviate from it by what pixels round."""

SHORTEST_LINE = 0.1
"""Lines that count, as a share of the image's width ..."""

SHORTEST_BESIDE = 0.3
"""... and of the longest line."""

COVERED = 0.5
"""What of a line is drawn, at the least: specks in a row are none."""

COMMON = 0.05
"""Columns that a pair of lines has in common at least, as a share of the image's width."""

NONE, ONE, SHORT = "no aponeurosis found", "one aponeurosis only", "aponeuroses side by side"
"""Why there are no two lines."""


@dataclass(frozen=True)
class CentreLine:
    """The centre line of an aponeurosis: one depth for each column.

    Parameters
    ----------
    column : (points,) array of float64
        Columns one after the other [px].
    depth : (points,) array of float64
        Rows, between pixels [px].
    height : float
        How high the drawn line is, as a rule [px].
    drawn : (2, columns) array of float64
        Columns, and the rows in the middle of what is drawn there, that the line was fitted to.
    """

    column: NDArray[np.float64]
    depth: NDArray[np.float64]
    height: float
    drawn: NDArray[np.float64]

    def at(self, column: Any) -> NDArray[np.float64]:
        """Return depths at some columns [px]; NaN beyond the line's ends."""
        return np.asarray(np.interp(column, self.column, self.depth, left=np.nan, right=np.nan))

    @property
    def length(self) -> float:
        """Columns that it runs over."""
        return float(self.column[-1] - self.column[0])


@dataclass(frozen=True)
class Aponeuroses:
    """The two aponeuroses of a muscle.

    Parameters
    ----------
    superficial, deep : CentreLine or None
        None if there is none.
    found : int
        Lines that the mask shows; of three or more the two shallowest that lie above one another
        are taken.
    reason : str
        Why one is missing; empty if none is.
    """

    superficial: CentreLine | None
    deep: CentreLine | None
    found: int
    reason: str = ""


def aponeuroses_of(mask: NDArray[Any]) -> Aponeuroses:
    """Return the aponeuroses that a mask shows.

    The mask is followed column by column, over holes, past spurs and across breaks; a robust
    polynomial runs through the middles of what is found. Columns in which the image's upper or
    lower edge cuts the drawn line, and ends that are less than half as high as the rest, do not
    count: their middles are off.

    Parameters
    ----------
    mask : (depth, width) array of bool or uint8
        Not zero where there is an aponeurosis.

    Raises
    ------
    InputError
        If it is no image of at least 8 x 8 px.

    Examples
    --------
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[10:13], mask[40:43] = True, True
    >>> found = aponeuroses_of(mask)
    >>> float(found.superficial.depth.mean().round(6)), float(found.deep.depth.mean().round(6))
    (11.0, 41.0)
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or min(mask.shape) < 8 or mask.dtype not in (np.bool_, np.uint8):
        raise InputError(
            f"`mask`: found an array of {mask.shape}, {mask.dtype}; wanted depth x width of bool "
            "or uint8, 8 x 8 px or more"
        )
    depth, width = mask.shape
    lines = [_line(chain, depth) for chain in trace(mask != 0)]
    longest = max((line.length for line in lines), default=0)
    shortest = max(SHORTEST_LINE * width, SHORTEST_BESIDE * longest)
    lines = [
        line
        for line in lines
        if line.length >= shortest and line.drawn.shape[1] >= COVERED * line.length
    ]
    lines.sort(key=lambda line: float(np.median(line.depth)))
    if len(lines) < 2:
        one = lines[0] if lines else None
        return Aponeuroses(one, None, len(lines), ONE if lines else NONE)
    for one, other in itertools.combinations(lines, 2):
        columns = common_columns(one, other)
        if len(columns) > COMMON * width:
            above = np.median(other.at(columns) - one.at(columns)) >= 0
            return Aponeuroses(*((one, other) if above else (other, one)), len(lines))
    return Aponeuroses(lines[0], lines[1], len(lines), SHORT)


def common_columns(one: CentreLine, other: CentreLine) -> NDArray[np.float64]:
    """Return the columns over which both lines run [px]."""
    first = max(one.column[0], other.column[0])
    last = min(one.column[-1], other.column[-1])
    return np.arange(first, last + 0.5)


def _line(chain: Chain, depth: int) -> CentreLine:
    usual = float(np.median(chain.height))
    whole = (chain.height >= usual / 2) & (chain.height <= 2 * usual)
    inside = (chain.top > 0) & (chain.bottom < depth - 1)
    # A line that is cut by the edge all along is where it can be seen.
    kept = whole & inside if np.count_nonzero(whole & inside) > len(whole) / 2 else whole
    column, centre = chain.column[kept].astype(np.float64), chain.centre[kept]
    columns = np.arange(chain.column[kept][0], chain.column[kept][-1] + 1, dtype=np.float64)
    return CentreLine(columns, _smooth(column, centre, columns), usual, np.stack([column, centre]))


def _smooth(
    column: NDArray[np.float64], centre: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a polynomial through middles, by iteratively reweighted least squares.

    Weights are Tukey's biweight (Beaton and Tukey 1974, doi:10.1080/00401706.1974.10489171), with
    the scale from the median absolute residual, but no less than what pixels round off.
    """
    first, last = float(column[0]), float(column[-1])
    half, middle = max((last - first) / 2, 0.5), (first + last) / 2
    # A straight line fits what is short or mostly missing.
    degree = min(DEGREE, max(1, len(column) // 10))
    basis = np.polynomial.legendre.legvander((column - middle) / half, degree)
    weights = np.ones(len(column))
    coefficients = np.zeros(degree + 1)
    for _ in range(10):
        root = np.sqrt(weights)
        coefficients = np.linalg.lstsq(basis * root[:, None], centre * root, rcond=None)[0]
        residual = centre - basis @ coefficients
        scale = max(1.4826 * float(np.median(np.abs(residual))), 0.3)
        weights = np.clip(1 - (residual / (4.685 * scale)) ** 2, 0, None) ** 2
    return np.polynomial.legendre.legvander((at - middle) / half, degree) @ coefficients
