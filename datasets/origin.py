"""Where a store comes from: what made it, out of what, and how it is made again.

An origin is written into a store's attributes and read from them here, and nowhere else: no other
module knows an attribute's name. A new kind of origin is a class in :data:`ORIGINS`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, Self, get_args

from ..simulator.errors import FailureError, InputError, MusimError
from ..simulator.experiment.doses import Doses
from ..simulator.imaging.chain import BAND_PASS_REVISION, FIRST_REVISION, Chain
from ..simulator.parameters import Parameters
from ..simulator.section.parameters import SectionParameters
from ..simulator.section.scene import SECTION_REVISION
from . import domains, grid

Attributes = Mapping[str, Any]
"""Those of a store's root: texts, numbers and lists of numbers by name."""

ORIGIN, VERSION = "musim_origin", "musim_origin_version"
REVISION = "musim_revision"
SOFTWARE = "musim_software"
PARAMETERS, SEED, DOSES = "musim_parameters", "musim_seed", "musim_doses"
DOMAIN, MUSCLE = "musim_domain", "musim_muscle"
GROUPED_BY = "musim_grouped_by"
SOURCES, DESCRIPTIONS, CHAIN = "musim_sources", "musim_descriptions", "musim_chain"
METHOD, RUNS, REMARKS = "musim_method", "musim_runs", "musim_remarks"
SETTINGS, EVENTS = "musim_settings", "musim_events"
FIRINGS = "musim_firings"
MIN_CONFIDENCE, EPOCHS = "musim_min_confidence", "musim_epochs"
USUAL_METHOD = "musim_usual_method"
TRANSLATED_FROM = "musim_translated_from"
SAMPLED_FROM = "musim_sampled_from"
FORMAT_VERSION, KIND, PART_SIZE = "musim_format_version", "musim_kind", "musim_part_size"
FRAME_RATE, PIXEL_SIZE = "musim_frame_rate", "musim_pixel_size"
PIXEL_UNIT = "musim_pixel_unit"
MEAN, SD = "musim_mean", "musim_sd"
SEALED = "musim_sealed"
"""Proof of what was added to a finished store; see :mod:`.sealing`."""

JSON_TEXTS = (PARAMETERS, DOSES, SOURCES, DESCRIPTIONS, CHAIN, RUNS, SETTINGS, EVENTS,
              TRANSLATED_FROM, SAMPLED_FROM, SOFTWARE)  # fmt: skip
"""Attributes that hold JSON as text."""


def software_versions(*libraries: str) -> dict[str, str]:
    """Return the versions that a store's values depend on.

    Parameters
    ----------
    *libraries : str
        Distributions beside those that every store depends on; left out where not installed.
    """
    found = {}
    for name in ("musim", "numba", "numpy", "scipy", "zarr", *libraries):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            if name not in libraries:
                found[name] = "unknown"
    return found


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Sequences that were drawn from parameters and a seed: all that it takes to draw them again.

    Parameters
    ----------
    parameters : Parameters
    seed : int
    doses : Doses, optional
        Those of the virtual experiment; none for analytic sequences.
    quick : bool
        Whether recordings were made without the images of the virtual experiment.
    revision : int
        Of what made them; this musim's, if not given. Another one gives other values.
    software : mapping of str to str
        Versions of musim and of the libraries that made the store.
    """

    name: ClassVar[str] = "simulated"
    version: ClassVar[int] = 2

    parameters: Parameters
    seed: int
    doses: Doses | None = None
    quick: bool = False
    revision: int = 0
    software: Mapping[str, str] = field(default_factory=software_versions)

    def __post_init__(self) -> None:
        object.__setattr__(self, "revision", self.revision or self.own_revision)

    @property
    def own_revision(self) -> int:
        """The revision of what this musim makes: that of the experiment's imaging chain."""
        return FIRST_REVISION if self.doses is None else BAND_PASS_REVISION

    @property
    def domain(self) -> str:
        """What made the voxels, one of :data:`.domains.DOMAINS`."""
        if self.doses is None:
            return domains.ANALYTIC
        return domains.QUICK if self.quick else domains.EXPERIMENT

    @property
    def oldest_version(self) -> int:
        """The version that says as much: what version 1 says, its readers go on reading."""
        return 2 if self.domain == domains.QUICK else 1

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        what = "sequences" if self.doses is None else "recordings"
        quick = "quick " if self.domain == domains.QUICK else ""
        return f"{quick}{what} drawn with seed {self.seed}"

    @property
    def advice(self) -> str:
        """How the store is made again: from itself."""
        return "make it again from its parameters and seed"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        doses = {} if self.doses is None else {DOSES: _text(self.doses.to_json())}
        domain = {DOMAIN: domains.QUICK} if self.domain == domains.QUICK else {}
        return {
            PARAMETERS: _text(self.parameters.to_json()), SEED: self.seed, **doses, **domain,
            **_revised(self.revision),
        }  # fmt: skip

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        doses, domain = _read(attributes, DOSES, None), attributes.get(DOMAIN)
        if domain not in {None, domains.QUICK}:
            raise ValueError(f"there is no domain {domain!r}")
        return cls(
            parameters=Parameters.from_json(_read(attributes, PARAMETERS)),
            seed=int(attributes[SEED]),
            doses=None if doses is None else Doses.from_json(doses),
            quick=domain is not None,
            revision=revision_of(attributes),
            software=_software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A span of a file, of which one sequence was made.

    Parameters
    ----------
    file : str
        Its name, without folders.
    sha256 : str
        Of the file, or of the two of a pair, in hexadecimal.
    recording : int
        Which one of the file's.
    start : float
        Where in it the sequence begins, s.
    events, events_sha256 : str, optional
        Name and SHA-256 of the table of known firings.
    units : tuple of str, optional
        The units' names in that table, in the order of the store's.
    """

    file: str
    sha256: str
    recording: int
    start: float
    events: str | None = None
    events_sha256: str | None = None
    units: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain = {name: value for name, value in values.items() if value is not None}
        return {**plain, "units": list(self.units)} if self.units is not None else plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made."""
        units = {"units": tuple(plain["units"])} if "units" in plain else {}
        return cls(**{**plain, **units})


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Recordings that were read from files and sent through the imaging chain.

    Parameters
    ----------
    cuts : tuple of Cut
        Of each sequence where it comes from.
    descriptions : tuple of mapping
        Of each file what its arrays mean, with its name as ``file``.
    chain : Chain
    revision : int
        Of the chain's steps; this musim's, if not given. Another one gives other values.
    software : mapping of str to str
    """

    name: ClassVar[str] = "imported"
    version: ClassVar[int] = 1

    cuts: tuple[Cut, ...]
    descriptions: tuple[Mapping[str, Any], ...]
    chain: Chain
    revision: int = 0
    software: Mapping[str, str] = field(default_factory=software_versions)

    def __post_init__(self) -> None:
        object.__setattr__(self, "revision", self.revision or self.chain.revision)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        files = dict.fromkeys(cut.file for cut in self.cuts)
        first, *rest = files or ["no file"]
        return f"recordings imported from {first}" + (f" and {len(rest)} more" if rest else "")

    @property
    def advice(self) -> str:
        """How the store is made again: from its files."""
        return "import its files again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        return {
            SOURCES: json.dumps([cut.to_json() for cut in self.cuts]),
            DESCRIPTIONS: _text([dict(one) for one in self.descriptions]),
            CHAIN: _text(self.chain.to_json()),
            **_revised(self.revision),
        }

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        return cls(
            cuts=tuple(Cut.from_json(one) for one in _read(attributes, SOURCES)),
            descriptions=tuple(_read(attributes, DESCRIPTIONS)),
            chain=Chain.from_json(_read(attributes, CHAIN)),
            revision=revision_of(attributes),
            software=_software_of(attributes),
        )


@dataclass(frozen=True)
class Searched:
    """A store in which units were looked for.

    Parameters
    ----------
    store : str
        Its address.
    sequences : int
    """

    store: str
    sequences: int


@dataclass(frozen=True, kw_only=True)
class Identified:
    """Units that a method found in the sequences of other stores.

    Parameters
    ----------
    method : str
    searched : tuple of Searched
        Their sequences follow one another.
    runs : tuple of str
        Folders of the runs of training that the method used.
    remarks : tuple of str
        Names of the bits of the variable ``remarks``, the lowest first.
    settings : mapping of str to object
        Of the method, plain values; none for a method without any.
    events : mapping of str to str
        ``file`` and ``sha256`` of the table of known firings that the method was given; empty
        without.
    firings : str
        How firings were to be found in trains; empty if it was not said.
    min_confidence : float
        Units of less confidence were left out.
    epochs : int
        Epochs in which units were found anew.
    usual : bool
        Whether no method was asked for, so that the usual one was taken.
    software : mapping of str to str
    """

    name: ClassVar[str] = "identified"
    version: ClassVar[int] = 1

    method: str
    searched: tuple[Searched, ...]
    runs: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    firings: str = ""
    min_confidence: float = 0.0
    epochs: int = 0
    usual: bool = False
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        first, *rest = [one.store for one in self.searched] or ["no store"]
        more = f" and {len(rest)} more" if rest else ""
        return f"units identified by {self.method} in {first}{more}"

    @property
    def advice(self) -> str:
        """How the store is made again: from the recordings."""
        return "identify again"

    def source_of(self, index: int) -> tuple[str, int]:
        """Return the address of the store that a sequence comes from, and its index there.

        Raises
        ------
        InputError
            If the store does not say.
        """
        first = 0
        for source in self.searched:
            if index < first + source.sequences:
                return source.store, index - first
            first += source.sequences
        raise InputError(f"result: found no source of sequence {index}, wanted one; identify again")

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        return {
            METHOD: self.method,
            **({RUNS: json.dumps(self.runs)} if self.runs else {}),
            **({SETTINGS: _text(dict(self.settings))} if self.settings else {}),
            **({EVENTS: _text(dict(self.events))} if self.events else {}),
            **({FIRINGS: self.firings} if self.firings else {}),
            **({MIN_CONFIDENCE: self.min_confidence} if self.min_confidence else {}),
            **({EPOCHS: self.epochs} if self.epochs else {}),
            **({USUAL_METHOD: 1} if self.usual else {}),
            SOURCES: json.dumps(
                [{"store": one.store, "sequences": one.sequences} for one in self.searched]
            ),
            REMARKS: " ".join(self.remarks),
        }

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        return cls(
            method=str(attributes[METHOD]),
            searched=tuple(
                Searched(str(one["store"]), int(one["sequences"]))
                for one in _read(attributes, SOURCES)
            ),
            runs=tuple(_read(attributes, RUNS, ())),
            remarks=tuple(str(attributes.get(REMARKS, "")).split()),
            settings=_read(attributes, SETTINGS, {}),
            events=_read(attributes, EVENTS, {}),
            firings=str(attributes.get(FIRINGS, "")),
            min_confidence=float(attributes.get(MIN_CONFIDENCE, 0)),
            epochs=int(attributes.get(EPOCHS, 0)),
            usual=bool(attributes.get(USUAL_METHOD, 0)),
            software=_software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class Translated:
    """Sequences of another store that a run of training made look recorded.

    Parameters
    ----------
    store : str
        Its address.
    sequences : int
    run : str
        Folder of the run.
    checkpoint : str
        SHA-256 of its checkpoint, in hexadecimal.
    settings : mapping of str to object
        Of the run.
    parameters : Parameters, optional
    seed : int, optional
        Of the store that was translated, if it was simulated.
    recorded : Imported, optional
        Where that store's sequences come from, if they were recorded; its software is not known.
    software : mapping of str to str
    """

    name: ClassVar[str] = "translated"
    version: ClassVar[int] = 1

    store: str
    sequences: int
    run: str
    checkpoint: str
    settings: Mapping[str, Any]
    parameters: Parameters | None = None
    seed: int | None = None
    recorded: Imported | None = None
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        return f"translated from {self.store} by {self.run}"

    @property
    def advice(self) -> str:
        """How the store is made again: from the other one."""
        return "translate again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        origin = {
            "store": self.store,
            "sequences": self.sequences,
            "run": self.run,
            "checkpoint": self.checkpoint,
            "settings": dict(self.settings),
            "parameters": None if self.parameters is None else self.parameters.to_json(),
            "seed": self.seed,
        }
        recorded = {} if self.recorded is None else self.recorded.to_attributes()
        return {**recorded, TRANSLATED_FROM: _text(origin)}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        origin = _read(attributes, TRANSLATED_FROM)
        parameters = origin.get("parameters")
        recorded = Imported.from_attributes(attributes) if CHAIN in attributes else None
        return cls(
            store=str(origin["store"]),
            sequences=int(origin["sequences"]),
            run=str(origin["run"]),
            checkpoint=str(origin["checkpoint"]),
            settings=origin["settings"],
            parameters=None if parameters is None else Parameters.from_json(parameters),
            seed=origin.get("seed"),
            recorded=None if recorded is None else replace(recorded, software={}),
            software=_software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class SectionImages:
    """Images of the longitudinal section that were drawn from parameters and a seed.

    Parameters
    ----------
    parameters : SectionParameters
    seed : int
    muscle : str
        Whose anatomy the parameters are; empty where they are nobody's in particular.
    revision : int
        Of what made them; this musim's, if not given. Another one gives other images or truth.
    software : mapping of str to str
    """

    name: ClassVar[str] = "section"
    version: ClassVar[int] = 1

    parameters: SectionParameters
    seed: int
    muscle: str = ""
    revision: int = SECTION_REVISION
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def own_revision(self) -> int:
        """The revision of what this musim makes."""
        return SECTION_REVISION

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        of = f" of {self.muscle}" if self.muscle else ""
        return f"images of the longitudinal section{of} drawn with seed {self.seed}"

    @property
    def advice(self) -> str:
        """How the store is made again: from itself."""
        return "make it again from its parameters and seed"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        muscle = {MUSCLE: self.muscle} if self.muscle else {}
        return {
            PARAMETERS: _text(self.parameters.to_json()), SEED: self.seed, **muscle,
            **_revised(self.revision),
        }  # fmt: skip

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        return cls(
            parameters=SectionParameters.from_json(_read(attributes, PARAMETERS)),
            seed=int(attributes[SEED]),
            muscle=str(attributes.get(MUSCLE, "")),
            revision=revision_of(attributes),
            software=_software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class SampledImages:
    """Images of the longitudinal section that a run of training makes of noise.

    Parameters
    ----------
    run : str
        Folder of the run.
    checkpoint : str
        SHA-256 of its checkpoint, in hexadecimal.
    settings : mapping of str to object
        Of the run.
    sampler : mapping of str to object
        How samples are drawn.
    seed : int
        Image i depends on (checkpoint, sampler, seed, i) alone, but for rounding on other devices.
    device : str
        Kind of device that they were made on.
    software : mapping of str to str
    """

    name: ClassVar[str] = "sampled"
    version: ClassVar[int] = 1

    run: str
    checkpoint: str
    settings: Mapping[str, Any]
    sampler: Mapping[str, Any]
    seed: int
    device: str
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        way = self.sampler["name"].upper()
        return f"images sampled by {self.run} ({way}) with seed {self.seed}"

    @property
    def advice(self) -> str:
        """How the store is made again: from the run."""
        return "sample again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        origin = {
            "run": self.run,
            "checkpoint": self.checkpoint,
            "settings": dict(self.settings),
            "sampler": dict(self.sampler),
            "device": self.device,
        }
        return {SAMPLED_FROM: _text(origin), SEED: self.seed}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        origin = _read(attributes, SAMPLED_FROM)
        return cls(
            run=str(origin["run"]),
            checkpoint=str(origin["checkpoint"]),
            settings=origin["settings"],
            sampler=origin["sampler"],
            seed=int(attributes[SEED]),
            device=str(origin["device"]),
            software=_software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class ImportedImage:
    """A file of which one image was made.

    Parameters
    ----------
    name : str
        Of the image: that of its file without its suffix, if there is no other of that name.
    file, sha256 : str
        The file's name, without folders, and its SHA-256 in hexadecimal.
    size : tuple of int
        Depth and width of the file's image [px].
    crop : tuple of int
        What of it was taken: the first row and column, depth and width [px].
    mask, mask_sha256 : str, optional
        The file of the aponeuroses that were drawn on it, if there is one.
    """

    name: str
    file: str
    sha256: str
    size: tuple[int, int]
    crop: tuple[int, int, int, int]
    mask: str | None = None
    mask_sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made."""
        top, left, depth, width = plain["crop"]
        high, across = plain["size"]
        return cls(**{**plain, "size": (high, across), "crop": (top, left, depth, width)})


@dataclass(frozen=True, kw_only=True)
class ImportedImages:
    """B-mode images of the longitudinal section that were read from files.

    Parameters
    ----------
    images : tuple of ImportedImage
        Of each image where it comes from.
    grouped_by : str
        What tells which images belong together: a column of a table, or that they are alike.
    software : mapping of str to str
    """

    name: ClassVar[str] = "images"
    version: ClassVar[int] = 1

    images: tuple[ImportedImage, ...]
    grouped_by: str
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        first, *rest = [one.file for one in self.images] or ["no file"]
        return f"images imported from {first}" + (f" and {len(rest)} more" if rest else "")

    @property
    def advice(self) -> str:
        """How the store is made again: from its files."""
        return "import its files again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        images = json.dumps([one.to_json() for one in self.images])
        return {SOURCES: images, GROUPED_BY: self.grouped_by}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        return cls(
            images=tuple(ImportedImage.from_json(one) for one in _read(attributes, SOURCES)),
            grouped_by=str(attributes[GROUPED_BY]),
            software=_software_of(attributes),
        )


Origin = (
    Simulated | Imported | Identified | Translated | SectionImages | SampledImages | ImportedImages
)

ORIGINS: dict[str, type[Origin]] = {kind.name: kind for kind in get_args(Origin)}

_BEFORE_NAMES = {TRANSLATED_FROM: Translated, METHOD: Identified, CHAIN: Imported,
                 PARAMETERS: Simulated}  # fmt: skip
"""How origins without a name are told apart, the first that applies: so they were at first."""


def parameters_of(origin: Origin) -> Parameters | SectionParameters | None:
    """Return the parameters that a store was drawn from, whatever it shows; None of others."""
    return origin.parameters if isinstance(origin, Simulated | SectionImages) else None


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
        SOFTWARE: _text(dict(origin.software)),
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


def revision_of(attributes: Attributes) -> int:
    """Return the revision of what made a store's values; the first one, where it is not said."""
    return int(attributes.get(REVISION, FIRST_REVISION))


def _revised(revision: int) -> dict[str, int]:
    return {} if revision == FIRST_REVISION else {REVISION: revision}


def check_revision(origin: Simulated | SectionImages, place: str) -> None:
    """Raise InputError if this musim makes other values than those of a store.

    Parameters
    ----------
    origin : Simulated or SectionImages
    place : str
        Where the store is, for the message.
    """
    if isinstance(origin, SectionImages) and origin.revision != origin.own_revision:
        raise InputError(
            f"{place}: found {origin.made_by} by revision {origin.revision} of what is measured on "
            f"them, wanted revision {origin.own_revision}, which gives other values of pennation; "
            "make them anew, or use the musim that made them"
        )
    if origin.revision != origin.own_revision:
        raise InputError(
            f"{place}: found {origin.made_by} by revision {origin.revision} of their imaging "
            f"chain, wanted revision {origin.own_revision}, which gives other values at their "
            "ends; make them anew, or use the musim that made them"
        )


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
    pixel_size: tuple[float, float], pixel_unit: str,
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


def _text(values: Any) -> str:
    return json.dumps(values, sort_keys=True)


_REQUIRED: Any = object()


def _read(attributes: Attributes, name: str, default: Any = _REQUIRED) -> Any:
    if name not in attributes and default is not _REQUIRED:
        return default
    return json.loads(str(attributes[name]))


def _software_of(attributes: Attributes) -> dict[str, str]:
    return _read(attributes, SOFTWARE, {})
