"""The data card of a store: what was asked of each parameter, and what the sequences show."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulator.declarations import declarations
from ..simulator.errors import InputError
from ..simulator.experiment.doses import Doses
from ..simulator.kinds import RangeKind, short
from ..simulator.parameters import Parameters
from ..simulator.ranges import Range
from ..simulator.rendering import signal
from ..simulator.shapes import SHAPES
from .goodness_of_fit import chi_square, kolmogorov
from .origin import Simulated
from .store import Store

BINS = 1000
"""Values are counted in this many bins, so that memory does not grow with the store."""

MEASURED_SEQUENCES = 16
"""The SNR is measured on this many sequences, spread over the store."""


@dataclass
class Tally:
    """Moments, extremes and a histogram of values that pass by.

    Parameters
    ----------
    low, high : float
        Ends of the histogram.
    """

    low: float
    high: float
    count: int = 0
    mean: float = math.nan
    squares: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    histogram: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def add(self, values: NDArray[Any]) -> None:
        """Count values; NaN is padding. Moments are merged after Chan, Golub and LeVeque 1983."""
        values = np.asarray(values, float).ravel()
        values = values[~np.isnan(values)]
        if values.size == 0:
            return
        if not np.isfinite(values).all():
            self.count += values.size
            self.mean = self.minimum = self.maximum = float(values[0])
            return
        mean = float(values.mean())
        squares = float(((values - mean) ** 2).sum())
        if self.count:
            total = self.count + values.size
            step = mean - self.mean
            self.squares += squares + step**2 * self.count * values.size / total
            self.mean += step * values.size / total
        else:
            self.mean, self.squares = mean, squares
        self.count += values.size
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))
        if self.high > self.low:
            clipped = np.clip(values, self.low, self.high)
            self.histogram += np.histogram(clipped, BINS, (self.low, self.high))[0]

    @property
    def sd(self) -> float:
        """Standard deviation."""
        if not self.count:
            return math.nan
        # Of equal values, rounding leaves a trace that is not a spread.
        return 0.0 if self.minimum == self.maximum else math.sqrt(self.squares / self.count)

    def p_value(self) -> float:
        """Return the Kolmogorov-Smirnov p-value against the uniform distribution on low..high."""
        if not self.count or self.high <= self.low:
            return math.nan
        realised = np.cumsum(self.histogram) / self.count
        distance = np.abs(realised - np.arange(1, BINS + 1) / BINS).max()
        return kolmogorov(float(distance) * math.sqrt(self.count))


@dataclass(frozen=True)
class Entry:
    """One line of a data card.

    Parameters
    ----------
    name, units : str
    requested : str
        What was asked for; empty for what follows from other parameters.
    expected_mean : float
        Mean that was asked for; NaN where none follows.
    count : int
        Number of values.
    mean, sd, minimum, maximum : float
        Of the realised values.
    p_value : float
        Chance of a worse fit to the requested uniform distribution; NaN where there is none.
    """

    name: str
    units: str
    requested: str
    expected_mean: float
    count: int
    mean: float
    sd: float
    minimum: float
    maximum: float
    p_value: float


FAT = "skin and fat"

PLACE = "centre depth in muscle"
"""Share of the muscle's depth above a centre: uniform where the fat above it varies."""

_DRAWN = (
    ("diameter", "diameter", "mm"),
    ("firing_rate", "firing rate", "Hz"),
    ("interval_variation", "interval variation", ""),
    ("displacement", "displacement", "um"),
    ("contraction_time", "contraction time", "ms"),
    ("relaxation_ratio", "relaxation ratio", ""),
    ("synchrony", "synchrony", ""),
    ("snr", "SNR", "dB"),
)

_DRAWN_IF_WRITTEN = (
    ("strength_ratio", "strength ratio", ""),
    ("amplitude_variation", "amplitude variation", ""),
    ("duration_variation", "duration variation", ""),
)
"""Of what stores have only where it says something."""


def _drawn(store: Store) -> tuple[tuple[str, str, str], ...]:
    """Return what is drawn of units and sequences: variable, label and unit."""
    written = (one for one in _DRAWN_IF_WRITTEN if one[0] in store.layout.variables)
    return (*_DRAWN, *written)


def data_card(
    store: Store, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Entry]:
    """Compare what a store's sequences show with what was asked for.

    Parameters
    ----------
    store : Store
        A simulated store.
    on_progress : callable
        Called with the numbers of parts read and in all.

    Returns
    -------
    list of Entry

    Raises
    ------
    InputError
        If the store was not simulated.
    FailureError
        If a part is damaged.

    Notes
    -----
    Rates and intervals are those of the firings inside the sequence; a window favours short
    intervals, so their mean is a little low. The measured SNR compares the voxels with the
    noise-free rendering of the truth.
    """
    parameters = store.parameters
    if parameters is None or not store.has_truth:
        raise InputError(f"{store.location}: found a store without truth, wanted a simulated one")
    drawn = _drawn(store)
    tallies = _tallies(parameters, drawn)
    doses = _doses(store)
    for name, dose in doses.items():
        tallies[_label(name)] = Tally(dose.low, dose.high)
    for part in range(store.layout.parts):
        _read_part(store, parameters, drawn, part, tallies)
        on_progress(part + 1, store.layout.parts)
    if store.domain == "analytic":  # recordings are not the truth and noise
        measured = np.linspace(0, len(store) - 1, min(MEASURED_SEQUENCES, len(store)))
        for index in np.unique(measured.astype(int)):
            tallies["measured SNR"].add(np.array([measured_snr(store, int(index))]))
    else:
        del tallies["measured SNR"]
    return _entries(parameters, drawn, doses, tallies)


def measured_snr(store: Store, index: int) -> float:
    """Return the SNR, dB, of a stored sequence: the power of its signal over that of the rest."""
    truth = store.truth(index)
    clean = signal(truth.territory, truth.twitch_train).astype(float).ravel()
    noise = store.tvi(index).ravel() - clean
    power = float(noise @ noise)
    return 10 * math.log10(float(clean @ clean) / power) if power > 0 else math.inf


def _doses(store: Store) -> dict[str, Range]:
    """Return the doses of the virtual experiment that are drawn, by name; none of other stores."""
    origin = store.origin
    if not isinstance(origin, Simulated) or origin.doses is None:
        return {}
    values = {name: getattr(origin.doses, name) for name in declarations(Doses)}
    return {name: value for name, value in values.items() if isinstance(value, Range)}


def _label(dose: str) -> str:
    return "dose of " + dose.replace("_", " ")


def _tallies(parameters: Parameters, drawn: tuple[tuple[str, str, str], ...]) -> dict[str, Tally]:
    depth, width = parameters.muscle_size
    image_depth, image_width = parameters.size
    top, left = (image_depth - depth) / 2, (image_width - width) / 2
    tallies = {
        "units": Tally(parameters.units.low - 0.5, parameters.units.high + 0.5),
        "centre depth": Tally(max(top, parameters.fat.low), top + depth),
        "centre width": Tally(left, left + width),
        "visible share": Tally(0, 1),
        "overlap": Tally(0, 1),
        "realised rate": Tally(0, 0),
        "realised interval": Tally(0, 0),
        "realised interval variation": Tally(0, 0),
        "realised synchrony": Tally(0, 1),
        "measured SNR": Tally(0, 0),
    }
    for name, label, _ in drawn:
        asked = getattr(parameters, name)
        tallies[label] = Tally(asked.low, asked.high)
    if parameters.waveform is not None:
        for label in ("contraction time", "relaxation ratio"):
            tallies[label] = Tally(0, 0)
    if parameters.strength_ratio.high > 1:
        tallies["displacement"] = Tally(0, 0)  # not uniform: a product
    if parameters.fat.high > 0:
        tallies[FAT] = Tally(parameters.fat.low, parameters.fat.high)
    if not parameters.fat.is_constant:
        tallies[PLACE] = Tally(0, 1)
    if SHAPES[parameters.territory].has_axis_ratio:
        tallies["axis ratio"] = Tally(parameters.axis_ratio.low, parameters.axis_ratio.high)
    return tallies


def _read_part(
    store: Store,
    parameters: Parameters,
    drawn: tuple[tuple[str, str, str], ...],
    part: int,
    tallies: dict[str, Tally],
) -> None:
    def read(name: str) -> NDArray[Any]:
        return store.read_part(name, part)

    indices = store.layout.sequences_of(part)
    subjects = [store.doses(index) or {} for index in indices]
    for name in _doses(store):
        tallies[_label(name)].add(np.array([one[name] for one in subjects]))
    if FAT in tallies:
        tallies[FAT].add(np.array([store.fat(index) for index in indices]))
    for name, label, _ in drawn:
        tallies[label].add(read(name))
    if "axis ratio" in tallies:
        tallies["axis ratio"].add(read("axis_ratio"))
    tallies["units"].add(read("unit_count"))
    tallies["centre depth"].add(read("centre_depth"))
    if PLACE in tallies:
        bottom = (parameters.size[0] + parameters.muscle_size[0]) / 2
        edge = bottom - parameters.muscle_size[0]
        top = np.maximum(edge, [store.fat(index) for index in indices])[:, None]
        tallies[PLACE].add((read("centre_depth") - top) / (bottom - top))
    tallies["centre width"].add(read("centre_width"))
    tallies["visible share"].add(read("visible_share"))
    tallies["overlap"].add(read("overlap"))
    tallies["realised synchrony"].add(read("synchronised_share"))
    firing, rate = read("firing"), read("firing_rate")
    present = ~np.isnan(rate)
    inside = np.where((firing >= 0) & (firing < parameters.duration), firing, np.nan)
    counts = (~np.isnan(inside)).sum(axis=-1)
    tallies["realised rate"].add(counts[present] / parameters.duration)
    # In shares of the mean that was asked for, so that units of all rates go together.
    intervals = np.diff(inside, axis=-1) * rate[..., None]
    tallies["realised interval"].add(intervals)
    tallies["realised interval variation"].add(np.abs(intervals - 1))


def _entries(
    parameters: Parameters,
    drawn: tuple[tuple[str, str, str], ...],
    doses: dict[str, Range],
    tallies: dict[str, Tally],
) -> list[Entry]:
    asked: dict[str, tuple[str, str, float]] = {
        label: (_text(getattr(parameters, name)), units, getattr(parameters, name).mean)
        for name, label, units in drawn
    }
    if parameters.strength_ratio.high > 1:
        requested = f"{_text(parameters.displacement)} times strengths"
        asked["displacement"] = (requested, "um", math.nan)
    if parameters.waveform is not None:
        for label in ("contraction time", "relaxation ratio"):
            asked[label] = ("of the waveform", asked[label][1], math.nan)
    asked["units"] = (_text(parameters.units), "", parameters.units.mean)
    for label in ("centre depth", "centre width"):
        tally = tallies[label]
        asked[label] = (_text(Range(tally.low, tally.high)), "mm", (tally.low + tally.high) / 2)
    if PLACE in tallies:
        # Each subject's muscle begins elsewhere, so depths are uniform in each but not in all.
        low, high = (max(tallies["centre depth"].low, fat)
                     for fat in (parameters.fat.low, parameters.fat.high))  # fmt: skip
        mean = ((low + high) / 2 + tallies["centre depth"].high) / 2
        asked["centre depth"] = (asked["centre depth"][0], "mm", mean)
        asked[PLACE] = ("0-1", "", 0.5)
    if "axis ratio" in tallies:
        asked["axis ratio"] = (_text(parameters.axis_ratio), "", parameters.axis_ratio.mean)
    asked[FAT] = (_text(parameters.fat), "mm", parameters.fat.mean)
    for name, dose in doses.items():
        asked[_label(name)] = (_text(dose), declarations(Doses)[name].unit, dose.mean)
    asked["realised rate"] = ("", "Hz", parameters.firing_rate.mean)
    asked["realised synchrony"] = ("", "", parameters.synchrony.mean)
    asked["measured SNR"] = ("", "dB", parameters.snr.mean)
    order = ["units", FAT, "centre depth", PLACE, "centre width", "diameter", "axis ratio",
             "visible share", "overlap", "firing rate", "realised rate", "interval variation",
             "realised interval variation", "synchrony", "realised synchrony", "displacement",
             "strength ratio", "amplitude variation", "duration variation",
             "contraction time", "relaxation ratio", "SNR", "measured SNR",
             *(_label(name) for name in doses)]  # fmt: skip
    entries = []
    for label in order:
        if label not in tallies:
            continue
        tally = tallies[label]
        requested, units, expected = asked.get(label, ("", "", math.nan))
        entry = Entry(
            name=label,
            units=units,
            requested=requested,
            expected_mean=expected,
            count=tally.count,
            mean=tally.mean,
            sd=tally.sd,
            minimum=tally.minimum,
            maximum=tally.maximum,
            p_value=tally.p_value() if requested else math.nan,
        )
        if label == "centre depth" and PLACE in tallies:
            entry = dataclasses.replace(entry, p_value=math.nan)
        if label == "units":
            entry = dataclasses.replace(entry, p_value=_chi_square(tally, parameters.units))
        if label == "realised interval variation":
            intervals = tallies["realised interval"]
            entry = dataclasses.replace(
                entry,
                expected_mean=parameters.interval_variation.mean,
                mean=intervals.sd / intervals.mean if intervals.count else math.nan,
                sd=math.nan,
                minimum=math.nan,
                maximum=math.nan,
            )
        entries.append(entry)
    return entries


def _chi_square(tally: Tally, asked: Range) -> float:
    """Return the p-value of equal chances for every number of units."""
    numbers = int(asked.high - asked.low) + 1
    # Bins of the histogram fall into whole numbers as their centres do.
    edges = np.linspace(tally.low, tally.high, BINS + 1)
    place = ((edges[:-1] + edges[1:]) / 2 - tally.low).astype(int)
    counts = np.bincount(place, tally.histogram, numbers)
    if numbers < 2 or tally.count < 5 * numbers:
        return math.nan
    mean = counts.mean()
    statistic = np.square(counts - mean).sum() / mean
    return chi_square(float(statistic), numbers - 1)


def _text(asked: Range) -> str:
    return RangeKind().show(asked, short)
