"""Where a store comes from: what made it, out of what, and how it is made again.

An origin is written into a store's attributes and read from them here and in :mod:`.origins`, where
the kinds lie, and nowhere else: no other module knows an attribute's name. A new kind of origin is
a class in :data:`ORIGINS`.
"""

import json
from typing import Any, get_args

from ..simulator.calf.study import Study
from ..simulator.declarations import Declared
from ..simulator.errors import FailureError, InputError, MusimError
from ..simulator.parameters import Parameters
from ..simulator.resonance.parameters import Phantom
from ..simulator.resonance.scan import Scan
from ..simulator.section.parameters import SectionParameters
from . import grid
from .origins.attributes import (
    CHAIN,
    FORMAT_VERSION,
    FRAME_RATE,
    JSON_TEXTS,
    KIND,
    MEAN,
    METHOD,
    ORIGIN,
    PARAMETERS,
    PART_SIZE,
    PIXEL_SIZE,
    PIXEL_UNIT,
    SAMPLE_RATE,
    SD,
    SOFTWARE,
    TRANSLATED_FROM,
    USUAL_METHOD,
    VERSION,
    Attributes,
    revision_of,
    software_versions,
    text_of,
)
from .origins.curated import Curated
from .origins.derived import Identified, Searched, Translated
from .origins.images import ImportedImage, ImportedImages, SampledImages, SectionImages
from .origins.phantoms import ScannedHands, ScannedLabels
from .origins.recorded import Cut, Imported
from .origins.simulated import Simulated
from .origins.videos import ExtractedRegions, ImportedVideo, ImportedVideos, SimulatedTrials
from .origins.volumes import ImportedVolume, ImportedVolumes, TranslatedSlices

__all__ = [
    "ORIGINS", "Curated", "Cut", "Drawn", "ExtractedRegions", "Identified", "Imported",
    "ImportedImage", "ImportedImages", "ImportedVideo", "ImportedVideos", "ImportedVolume",
    "ImportedVolumes", "Origin", "SampledImages", "ScannedHands", "ScannedLabels", "Searched",
    "SectionImages", "Simulated", "SimulatedTrials", "Translated", "TranslatedSlices",
    "check_revision", "declared_by", "format_version_of", "from_attributes", "grid_attributes",
    "moment_attributes", "moments_of",
    "parameters_of", "recorded_by", "settings_of", "software_versions", "to_attributes",
]  # fmt: skip

Drawn = Simulated | SectionImages | SimulatedTrials | ScannedHands
"""Origins of what was drawn from parameters and a seed, and can be drawn again."""

Origin = (
    Simulated | Imported | Identified | Translated | SectionImages | SampledImages
    | ImportedImages | SimulatedTrials | ImportedVideos | ExtractedRegions | ImportedVolumes
    | TranslatedSlices | ScannedHands | ScannedLabels | Curated
)  # fmt: skip

ORIGINS: dict[str, type[Origin]] = {kind.name: kind for kind in get_args(Origin)}

_BEFORE_NAMES = {TRANSLATED_FROM: Translated, METHOD: Identified, CHAIN: Imported,
                 PARAMETERS: Simulated}  # fmt: skip
"""How origins without a name are told apart, the first that applies: so they were at first."""


def parameters_of(origin: Origin) -> Parameters | SectionParameters | Study | Phantom | Scan | None:
    """Return the parameters that a store was drawn from, whatever it shows; None of others."""
    if isinstance(origin, SimulatedTrials):
        return origin.study
    if isinstance(origin, ScannedHands):
        return origin.phantom
    if isinstance(origin, ScannedLabels):
        return origin.scan
    return origin.parameters if isinstance(origin, Simulated | SectionImages) else None


def declared_by(origin: Origin) -> tuple[Declared, ...]:
    """Return the same parameters as what declares each of them; nothing of others."""
    asked = parameters_of(origin)
    if isinstance(asked, Study | Phantom):
        return asked.parts
    return () if asked is None else (asked,)


def recorded_by(origin: Origin) -> Imported | None:
    """Return where sequences come from that were once recorded, and perhaps translated since."""
    if isinstance(origin, Translated):
        return origin.recorded
    return origin if isinstance(origin, Imported) else None


def to_attributes(origin: Origin) -> dict[str, Any]:
    """Return the attributes that say where a store comes from."""
    return {
        ORIGIN: origin.name,
        VERSION: origin.oldest_version if isinstance(origin, Simulated) else origin.version,
        **origin.to_attributes(),
        SOFTWARE: text_of(dict(origin.software)),
    }


def from_attributes(attributes: Attributes, place: str = "store") -> Origin:
    """Read what :func:`to_attributes` made, now or in an earlier version.

    Parameters
    ----------
    attributes : mapping of str to object
    place : str
        Where the store is, for the messages.

    Raises
    ------
    InputError
        If the origin is of a kind or version that this musim does not know.
    FailureError
        If its values are damaged.
    """
    kind, name, number = _kind_of(attributes), attributes.get(ORIGIN), attributes.get(VERSION)
    if name is not None and (kind is None or number not in range(1, kind.version + 1)):
        known = ", ".join(f"{kind.name} {kind.version}" for kind in ORIGINS.values())
        raise InputError(
            f"{place}: found an origin of the kind {name} {number}, wanted one of {known}; read it "
            "with the musim that wrote it"
        )
    if kind is None:
        raise FailureError(
            f"{place}: found no word of what made it, wanted an origin; make it again"
        )
    try:
        return kind.from_attributes(attributes)
    except MusimError as error:
        raise type(error)(f"{place}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise FailureError(
            f"{place}: found a damaged origin ({type(error).__name__}: {error}), wanted that of "
            f"{kind.name} sequences; make it again"
        ) from error


def _kind_of(attributes: Attributes) -> type[Origin] | None:
    if ORIGIN in attributes:
        return ORIGINS.get(str(attributes[ORIGIN]))
    return next((kind for name, kind in _BEFORE_NAMES.items() if name in attributes), None)


def check_revision(origin: Drawn, place: str) -> None:
    """Raise InputError if this musim makes other values than those of a store.

    Parameters
    ----------
    origin : Simulated, SectionImages, SimulatedTrials or ScannedHands
    place : str
        Where the store is, for the message.
    """
    if origin.revision == origin.own_revision:
        return
    what, gives = _REVISED[type(origin)]
    raise InputError(
        f"{place}: found {origin.made_by} by revision {origin.revision} of {what}, wanted revision "
        f"{origin.own_revision}, which gives {gives}; make them anew, or use the musim that made "
        "them"
    )


_REVISED: dict[type[Drawn], tuple[str, str]] = {
    Simulated: ("their imaging chain", "other values at their ends"),
    SectionImages: ("what is measured on them", "other values of pennation"),
    SimulatedTrials: ("what simulates them", "other images or signals"),
    ScannedHands: ("what draws and scans them", "other pictures"),
}
"""What has revisions, and what differs."""


def settings_of(attributes: Attributes) -> dict[str, Any]:
    """Return what two runs that make one store have in common, as nested plain values.

    Versions of libraries may differ between the runs; musim's own may not.
    """
    settings = {
        name: json.loads(str(value)) if name in JSON_TEXTS else value
        for name, value in attributes.items()
    }
    versions = settings.pop(SOFTWARE, {})
    settings.pop(USUAL_METHOD, None)  # asked for or not, it is the same method
    kind = _kind_of(attributes)
    return {
        **({} if kind is None else {"origin": kind.name, "origin_version": kind.version}),
        **{name.removeprefix("musim_"): value for name, value in settings.items()},
        "revision": revision_of(attributes),
        "musim version": versions.get("musim"),
    }


def grid_attributes(
    *, format_version: int, kind: str, part_size: int, frame_rate: float,
    pixel_size: tuple[float, float], pixel_unit: str, sample_rate: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the attributes that say how a store is laid out, for readers that know no musim."""
    unit = {} if pixel_unit == grid.MILLIMETRES else {PIXEL_UNIT: pixel_unit}
    return {
        FORMAT_VERSION: format_version,
        KIND: kind,
        PART_SIZE: part_size,
        FRAME_RATE: frame_rate,
        PIXEL_SIZE: list(pixel_size),
        **unit,
        **({} if sample_rate is None else {SAMPLE_RATE: sample_rate}),
    }


def format_version_of(attributes: Attributes) -> Any:
    """Return the version of a store's layout; None of a group that is not musim's."""
    return attributes.get(FORMAT_VERSION)


def moments_of(attributes: Attributes) -> tuple[float, float] | None:
    """Return mean and standard deviation of a store's voxels, mm/s, if they were kept."""
    if MEAN in attributes and SD in attributes:
        return float(attributes[MEAN]), float(attributes[SD])
    return None


def moment_attributes(mean: float, sd: float) -> dict[str, float]:
    """Return the attributes that :func:`moments_of` reads."""
    return {MEAN: mean, SD: sd}
