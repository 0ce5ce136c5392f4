"""Everything a simulation depends on besides its seed, checked once and then trusted."""

import dataclasses
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Self

from .errors import InputError
from .ranges import Range, format_pair, parse_pair

MAXIMUM_UNITS = 1000
MAXIMUM_VOXELS = 2**31
"""Largest sequence, in voxels: 8 GiB as float32."""

LONGEST_WAVEFORM = 10.0
"""Longest twitch, s."""

INTERVAL_CLIP = 3.9
"""Intervals lie within this many SD of their mean, as in Fuglevand-type codes (Fuglevand, Winter
and Patla 1993, doi:10.1152/jn.1993.70.6.2470)."""


def _option(
    default: Any,
    text: str,
    unit: str = "",
    bounds: tuple[float, float] = (-math.inf, math.inf),
    choices: tuple[str, ...] = (),
    group: str = "",
) -> Any:
    """Declare one parameter: its default, meaning, unit, allowed values and place in the help."""
    metadata = {"text": text, "unit": unit, "bounds": bounds, "choices": choices, "group": group}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Parameters of a simulation; each is also an option of ``musim generate``.

    Ranges are uniform distributions; a range of one value is a constant. The defaults are the
    preset ``ali-2020``: the settings of Ali et al. 2020 (identification of motor units with
    ultrafast ultrasound and deep learning), whose simulation model is that of Rohlén et al. 2020,
    IEEE Access 8:50299-50311.

    Parameters
    ----------
    units : Range
        Active motor units in a sequence. Ali 2020: 5-30.
    snr : Range
        Mean signal power over noise power, dB; inf is no noise. Ali 2020: 10, 20 or inf.
    synchrony : Range
        Share of a unit's firings that is chosen to be moved onto firings of other units, 0..0.5,
        one value a sequence. Ali 2020: 0-0.1. Of two or three units fewer are moved, since a firing
        stays where a move would break the order of its own unit's firings.
    synchrony_jitter : Range
        SD of the Gaussian jitter about the firing moved onto, ms, after Yao, Fuglevand and Enoka
        2000 (doi:10.1152/jn.2000.83.1.441).
    firing_rate : Range
        Mean firing rate of a unit, Hz. Ali 2020: 8-13.
    interval_variation : Range
        SD of the inter-pulse interval over its mean. Ali 2020: 0.2. Intervals are cut symmetrically
        at 3.9 SD and at the refractory period, so values beyond 0.25 come out smaller.
    refractory_period : float
        No interval is shorter, ms, but those inside doublets, whose default it has.
    doublets : Range
        Share of firings that are followed by a second one after `doublet_interval`.
    doublet_interval : float
        Interval inside a doublet, ms.
    territory : {"disc", "ellipse", "fibres"}
        Shape of a territory. Both papers: disc.
    diameter : Range
        Diameter of a territory, mm; of an ellipse, that of the disc of equal area. Ali 2020:
        2.5-10.
    axis_ratio : Range
        Long over short axis of an ellipse. Territories of 10.7 x 4.5 mm were seen by MRI (Birkbeck
        et al. 2020, Clinical Neurophysiology 131:1399-1406).
    fibre_density : float
        Fibres of a unit per mm2 of its territory, where the territory is made of fibres.
    fibre_smoothing : float
        SD of the Gaussian that smooths fibres to a membership, mm.
    mask : {"hard", "soft"}
        Membership of a pixel: whether its centre lies inside (0 or 1), or its share that does.
    displacement : Range
        Peak displacement of a unit's twitch, um. No source gives it for voluntary contractions.
    contraction_time : Range
        Time from onset to peak displacement, ms. Rohlén 2020's published code: 75-90.
    relaxation_ratio : Range
        Half-relaxation time over contraction time, both from onset. Rohlén 2020's published code:
        5/3.
    waveform : tuple of (float, float), optional
        A velocity waveform of one's own in place of the twitch: (time in s, velocity) samples.
    pixels : (int, int)
        Depth and width of the image, px. Ali 2020: 64 x 64.
    size : (float, float)
        Depth and width of the image, mm. Both papers: 40 x 40.
    muscle : (float, float), optional
        Depth and width of the muscle's cross-section about the image's centre, mm; without it, the
        image's.
    frames : int
        Frames in a sequence. Ali 2020: 400.
    frame_rate : float
        Frames per second, Hz. Ali 2020: 400.

    Raises
    ------
    InputError
        If a value is out of its bounds or does not go with another.
    """

    units: Range = _option(
        Range(5, 30), "Active motor units.", bounds=(1, MAXIMUM_UNITS), group="Units"
    )
    snr: Range = _option(
        Range(10, 10),
        "Signal power over noise power; inf: no noise.",
        "dB",
        (-60, 200),
        group="Noise",
    )
    synchrony: Range = _option(
        Range(0, 0.1),
        "Share of firings moved onto other units' firings.",
        "",
        (0, 0.5),
        group="Firing",
    )
    synchrony_jitter: Range = _option(
        Range(0, 0), "SD of a synchronised firing about its target.", "ms", (0, 15), group="Firing"
    )
    firing_rate: Range = _option(
        Range(8, 13), "Mean firing rate of a unit.", "Hz", (0.1, 100), group="Firing"
    )
    interval_variation: Range = _option(
        Range(0.2, 0.2), "SD over mean of the inter-pulse interval.", "", (0, 1), group="Firing"
    )
    refractory_period: float = _option(
        5.0, "Shortest interval of a unit.", "ms", (0.5, 1000), group="Firing"
    )
    doublets: Range = _option(
        Range(0, 0), "Share of firings that are doublets.", "", (0, 1), group="Firing"
    )
    doublet_interval: float = _option(
        5.0, "Interval inside a doublet.", "ms", (0.1, 1000), group="Firing"
    )
    territory: str = _option(
        "disc", "Shape of a territory.", choices=("disc", "ellipse", "fibres"), group="Territory"
    )
    diameter: Range = _option(
        Range(2.5, 10), "Diameter of a territory.", "mm", (0.01, 1000), group="Territory"
    )
    axis_ratio: Range = _option(
        Range(1, 2.4), "Long over short axis of an ellipse.", "", (1, 20), group="Territory"
    )
    fibre_density: float = _option(
        6.0,
        "Fibres of a unit per mm2 (territory fibres).",
        "1/mm2",
        (0.01, 1000),
        group="Territory",
    )
    fibre_smoothing: float = _option(
        0.5, "SD of the smoothing of fibres.", "mm", (0, 100), group="Territory"
    )
    mask: str = _option(
        "hard", "Membership of a pixel: 0 or 1, or its share.", choices=("hard", "soft"),
        group="Territory",
    )  # fmt: skip
    displacement: Range = _option(
        Range(5, 15), "Peak displacement of a twitch.", "um", (1e-6, 1e6), group="Twitch"
    )
    contraction_time: Range = _option(
        Range(75, 90), "Time from onset to peak displacement.", "ms", (1, 10_000), group="Twitch"
    )
    relaxation_ratio: Range = _option(
        Range(5 / 3, 5 / 3), "Half-relaxation time over contraction time.", "", (1.05, 2.6),
        group="Twitch",
    )  # fmt: skip
    waveform: tuple[tuple[float, float], ...] | None = _option(
        None, "CSV file of a velocity waveform (time in s, velocity).", group="Twitch"
    )
    pixels: tuple[int, int] = _option(
        (64, 64), "Depth x width of the image.", "px", (1, 65_536), group="Grid"
    )
    size: tuple[float, float] = _option(
        (40.0, 40.0), "Depth x width of the image.", "mm", (0.001, 10_000), group="Grid"
    )
    muscle: tuple[float, float] | None = _option(
        None, "Depth x width of the muscle, centred; default: the image's.", "mm", (0.001, 10_000),
        group="Grid",
    )  # fmt: skip
    frames: int = _option(400, "Frames in a sequence.", "", (1, 10_000_000), group="Grid")
    frame_rate: float = _option(400.0, "Frames per second.", "Hz", (0.1, 1e6), group="Grid")

    def __post_init__(self) -> None:
        """Check every value, then their combinations; ints given for floats become floats."""
        for parameter in dataclasses.fields(self):
            value = _of_its_kind(parameter, getattr(self, parameter.name))
            _check_bounds(parameter, value)
            object.__setattr__(self, parameter.name, value)
        _check_combinations(self)

    @property
    def duration(self) -> float:
        """Length of a sequence, s."""
        return self.frames / self.frame_rate

    @property
    def muscle_size(self) -> tuple[float, float]:
        """Depth and width of the muscle's cross-section, mm."""
        return self.size if self.muscle is None else self.muscle

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Depth and width of a pixel, mm."""
        return self.size[0] / self.pixels[0], self.size[1] / self.pixels[1]

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], preset: str = "ali-2020") -> Self:
        """Read parameters from texts, as options give them, over a preset.

        Parameters
        ----------
        texts : mapping of parameter name to text
            ``{"units": "5-30", "snr": "10", "pixels": "64x64"}``. A waveform is the text of a CSV
            file with two columns.
        preset : str
            Name of a preset in :data:`PRESETS`.

        Raises
        ------
        InputError
            If a name, a text or a value cannot be used; the text names the parameter.
        """
        if preset not in PRESETS:
            raise InputError(f"preset: found {preset!r}, wanted one of {', '.join(PRESETS)}")
        known = {parameter.name: parameter for parameter in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        for name, text in texts.items():
            if name not in known:
                raise InputError(f"parameter: found {name!r}, wanted one of {', '.join(known)}")
            try:
                values[name] = _read(known[name], text)
            except InputError as error:
                raise InputError(f"{name}: {error}") from None
        return cls(**{**PRESETS[preset], **values})

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back without loss."""
        values: dict[str, Any] = {}
        for parameter in dataclasses.fields(self):
            value = getattr(self, parameter.name)
            if isinstance(value, Range):
                value = [_plain(value.low), _plain(value.high)]
            elif isinstance(value, tuple):
                value = [list(item) if isinstance(item, tuple) else item for item in value]
            values[parameter.name] = value
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made.

        Raises
        ------
        InputError
            If a parameter is missing, unknown or out of bounds.
        """
        known = {parameter.name: parameter for parameter in dataclasses.fields(cls)}
        if set(values) != set(known):
            odd = sorted(set(values) ^ set(known))
            raise InputError(f"parameters: found other names than wanted ({', '.join(odd)})")
        arguments: dict[str, Any] = {}
        for name, value in values.items():
            arguments[name] = value
            try:
                if isinstance(known[name].default, Range):
                    low, high = value
                    arguments[name] = Range(float(low), float(high))
                elif isinstance(value, list):
                    arguments[name] = tuple(tuple(v) if isinstance(v, list) else v for v in value)
            except (TypeError, ValueError):
                raise InputError(f"{name}: found {value!r}, wanted [low, high]") from None
        return cls(**arguments)


def _plain(value: float) -> float | str:
    """JSON has no infinity; it is written as a text that float() reads."""
    return value if math.isfinite(value) else "inf"


def _read(parameter: dataclasses.Field[Any], text: str) -> Any:
    """Read one parameter from its text."""
    name = parameter.name
    if isinstance(parameter.default, Range):
        if text.strip().endswith("%") and parameter.metadata["bounds"][1] > 1:
            raise InputError(f"found {text!r}, wanted numbers without %, which is for shares")
        return Range.parse(text)
    if name in {"pixels", "size", "muscle"}:
        pair = parse_pair(text)
        if name != "pixels":
            return pair
        if any(not math.isfinite(value) or value != int(value) for value in pair):
            raise InputError(f"found {text!r}, wanted whole numbers, such as 64x64")
        return int(pair[0]), int(pair[1])
    if name == "waveform":
        return _read_waveform(text)
    if parameter.metadata["choices"]:
        return text.strip()
    value = Range.parse(text)
    if not value.is_constant:
        raise InputError(f"found {text!r}, wanted one number, not a range")
    if name == "frames":
        if not math.isfinite(value.low) or value.low != int(value.low):
            raise InputError(f"found {text!r}, wanted a whole number")
        return int(value.low)
    return value.low


def _read_waveform(text: str) -> tuple[tuple[float, float], ...]:
    """Read two columns of numbers; lines that are empty, comments or a heading are passed over."""
    samples: list[tuple[float, float]] = []
    headed = False
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.replace(",", " ").replace(";", " ").split()
        if not cells or cells[0].startswith("#"):
            continue
        try:
            time, velocity = (float(cell) for cell in cells)
        except ValueError:
            if not samples and not headed:
                headed = True
                continue
            raise InputError(
                f"line {number}: found {line[:40]!r}, wanted two numbers (time in s, velocity)"
            ) from None
        samples.append((time, velocity))
    return tuple(samples)


def _of_its_kind(parameter: dataclasses.Field[Any], value: Any) -> Any:
    """Return a value with the types that its parameter has, or raise InputError.

    Numbers stand for ranges of one value, whole floats for integers, lists for tuples.
    """
    name, default = parameter.name, parameter.default
    if name == "waveform":
        return None if value is None else _of_pairs(value)
    if isinstance(default, str) or (name == "muscle" and value is None):
        return value
    if isinstance(default, Range):
        if isinstance(value, Range):
            return value
        if not _is_number(value):
            raise InputError(f"{name}: found {value!r}, wanted a Range, such as Range(5, 30)")
        return Range(value, value)
    if name in {"pixels", "size", "muscle"}:
        pair = tuple(value) if isinstance(value, tuple | list) else ()
        if len(pair) != 2 or not all(_is_number(side) for side in pair):
            raise InputError(f"{name}: found {value!r}, wanted two numbers (depth, width)")
        whole = name == "pixels" and all(side == _round(side) for side in pair)
        return tuple(int(side) if whole else float(side) for side in pair)
    if not _is_number(value):
        raise InputError(f"{name}: found {value!r}, wanted a number")
    if isinstance(default, int) and value == _round(value):
        return int(value)
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _round(value: float) -> int:
    """Return the whole number next to a value; 0 for one that is not finite."""
    return round(value) if math.isfinite(value) else 0


def _of_pairs(value: Any) -> tuple[tuple[float, float], ...]:
    try:
        pairs = tuple((float(time), float(velocity)) for time, velocity in value)
    except (TypeError, ValueError):
        raise InputError(
            f"waveform: found {str(value)[:40]!r}, wanted pairs of numbers (time in s, velocity)"
        ) from None
    return pairs


def _check_bounds(parameter: dataclasses.Field[Any], value: Any) -> None:
    """Raise InputError unless every number of `value` lies in the parameter's bounds."""
    name, metadata = parameter.name, parameter.metadata
    if metadata["choices"]:
        if value not in metadata["choices"]:
            wanted = ", ".join(metadata["choices"])
            raise InputError(f"{name}: found {value!r}, wanted one of {wanted}")
        return
    if name == "waveform" or value is None:
        return
    if isinstance(value, Range):
        numbers = (value.low, value.high)
        if name == "snr" and numbers == (math.inf, math.inf):
            return
    else:
        numbers = value if isinstance(value, tuple) else (value,)
    low, high = metadata["bounds"]
    unit = f" {metadata['unit']}" if metadata["unit"] else ""
    shown = str(value) if isinstance(value, Range) else "x".join(f"{n:.12g}" for n in numbers)
    if any(not low <= number <= high for number in numbers):
        raise InputError(f"{name}: found {shown}{unit}, wanted {low:.12g} to {high:.12g}{unit}")
    if isinstance(value, Range) and value.low > value.high:
        raise InputError(f"{name}: found {shown}{unit}, wanted low-high with low <= high")
    whole = name in {"units", "pixels", "frames"}
    if whole and any(number != int(number) for number in numbers):
        raise InputError(f"{name}: found {shown}, wanted whole numbers")


def _check_combinations(parameters: Parameters) -> None:
    """Raise InputError if values that are sound alone do not go together."""
    masks = int(parameters.units.high) * parameters.pixels[0] * parameters.pixels[1]
    if masks > MAXIMUM_VOXELS:
        raise InputError(
            f"units and pixels: found {masks:.3g} pixels in all units' territories, wanted "
            f"{MAXIMUM_VOXELS:.3g} at most; use fewer units or pixels"
        )
    voxels = parameters.frames * parameters.pixels[0] * parameters.pixels[1]
    if voxels > MAXIMUM_VOXELS:
        raise InputError(
            f"frames and pixels: found {voxels:.3g} voxels a sequence, wanted {MAXIMUM_VOXELS:.3g} "
            "at most; make several shorter sequences"
        )
    largest = parameters.diameter.high
    if parameters.territory == "ellipse":
        largest *= math.sqrt(parameters.axis_ratio.high)
    smallest_side = min(parameters.muscle_size)
    if largest > smallest_side:
        raise InputError(
            f"diameter: found a territory of up to {largest:g} mm, wanted one no larger than the "
            f"muscle ({format_pair(parameters.muscle_size)} mm); reduce diameter or axis_ratio, or "
            "enlarge muscle"
        )
    shortest = 1000 / parameters.firing_rate.high
    if parameters.refractory_period >= shortest:
        raise InputError(
            f"refractory_period: found {parameters.refractory_period:g} ms, wanted less than the "
            f"mean interval at the highest firing rate ({shortest:g} ms)"
        )
    if parameters.doublets.high > 0 and parameters.doublet_interval >= shortest:
        raise InputError(
            f"doublet_interval: found {parameters.doublet_interval:g} ms, wanted less than the "
            f"mean interval at the highest firing rate ({shortest:g} ms)"
        )
    if parameters.waveform is not None:
        _check_waveform(parameters.waveform)


def _check_waveform(samples: tuple[tuple[float, float], ...]) -> None:
    times = [sample[0] for sample in samples]
    if len(samples) < 3 or not all(math.isfinite(n) for sample in samples for n in sample):
        raise InputError(
            f"waveform: found {len(samples)} samples, wanted 3 or more, all of them finite"
        )
    if times[0] != 0 or any(a >= b for a, b in itertools.pairwise(times)):
        raise InputError("waveform: found times that do not rise from 0, wanted rising times in s")
    if times[-1] > LONGEST_WAVEFORM:
        raise InputError(
            f"waveform: found one of {times[-1]:g} s, wanted {LONGEST_WAVEFORM:g} s at most; are "
            "its times in ms?"
        )
    peak = max(abs(sample[1]) for sample in samples)
    if peak == 0:
        raise InputError("waveform: found velocities that are all 0, wanted a twitch")
    if samples[0][1] != 0 or abs(samples[-1][1]) > 0.01 * peak:
        raise InputError(
            f"waveform: found velocities that start at {samples[0][1]:g} and end at "
            f"{samples[-1][1]:g}, wanted 0 at the start and within 1 % of the peak at the end"
        )


PRESETS: dict[str, dict[str, Any]] = {
    "ali-2020": {},
    "ali-2022": {
        "units": Range(4, 10),
        "synchrony": Range(0.1, 0.1),
        "snr": Range(math.inf, math.inf),
        "pixels": (128, 128),
        "frames": 1024,
        "frame_rate": 512.0,
    },
}
"""Values that differ from the defaults. ``ali-2022``: domain A of Ali et al. 2022 (in silico to in
vivo translation)."""
