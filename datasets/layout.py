"""What a store will hold, decided before its first byte is written, and its Zarr metadata."""

import dataclasses
import functools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
import zarr
import zarr.storage
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.errors import ZarrUserWarning

from ..simulator.errors import InputError
from .blosc import leave_no_semaphore
from .grid import MILLIMETRES, Grid
from .origin import Origin, from_attributes, grid_attributes
from .schema import (
    FORMAT_VERSION,
    KINDS,
    SECTION,
    SLICES,
    VARIABLES,
    VIDEO,
    Variable,
    chunks_of,
    coordinates_of,
    is_cut_in_time,
)

leave_no_semaphore()

Made = TypeVar("Made", bound=Origin)

COMMENT = "comment"
"""The attribute that readers of Zarr show to whoever looks at a store."""

RENDERED = (
    "There is no tvi in the files: it is rendered from the truth when it is read, by "
    "musim.open_store(...).dataset.tvi and .tvi(sequence). musim generate --render write stores it."
)

RENDERED_VIDEO = (
    "There is no bmode in the files: it is rendered from the seed when it is read, by "
    "musim.open_store(...).dataset.bmode and .bmode(sequence). musim generate --render write "
    "stores it."
)

TITLES = {
    SECTION: "Ultrasound images of the longitudinal section of muscles",
    VIDEO: "Ultrasound videos of the longitudinal section of muscles, with signals of their state",
    SLICES: "Slices through pairs of volumes of one anatomy",
}
SEQUENCES = "Tissue velocity image sequences of active motor units"
"""Title of the other kinds."""

_PICTURES = {SECTION: "bmode", VIDEO: "bmode", SLICES: "image"}

COMPRESSION: Any = {"cname": "lz4", "clevel": 5}
"""Of Blosc. Byte shuffling with LZ4 packs trains tighter and five times faster than Zstandard."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a store holds: its variables' sizes and chunks, its grid, and where it comes from.

    Parameters
    ----------
    kind : {"dense", "rendered", "identified", "section", "video", "slices"}
    variables : tuple of str
        Names of the variables that are written.
    sizes : mapping of dimension name to length
    part_size : int
        Sequences in a part.
    dtypes : mapping of variable name to dtype
        Types that differ from the schema's: of ``tvi`` float16, of ``territory`` uint8 (hard
        masks).
    frame_rate : float
        Hz.
    pixel_size : (float, float)
        Depth and width of a pixel, mm.
    attributes : mapping of str to str or int
        Those of the store's origin, as :mod:`.origin` writes and reads them.
    pixel_unit : {"mm", "px"}
        Unit of `pixel_size` and of the coordinates; px where images have no known or no common
        size in mm.
    sample_rate : float, optional
        Of signals, Hz: a multiple of the frame rate. Videos have one, and nothing else.
    """

    kind: str
    variables: tuple[str, ...]
    sizes: Mapping[str, int]
    part_size: int
    dtypes: Mapping[str, str]
    frame_rate: float
    pixel_size: tuple[float, float]
    attributes: Mapping[str, str | int]
    pixel_unit: str = MILLIMETRES
    sample_rate: float | None = None

    @property
    def sequences(self) -> int:
        """Number of sequences."""
        return self.sizes["sequence"]

    @property
    def parts(self) -> int:
        """Number of parts."""
        return -(-self.sequences // self.part_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, depth and width of a sequence."""
        return self.sizes["time"], self.sizes["depth"], self.sizes["width"]

    @property
    def grid(self) -> Grid:
        """Frames and pixels of a sequence."""
        return Grid(self.shape, self.frame_rate, self.pixel_size)

    @property
    def image(self) -> str:
        """Depth and width of an image, in words."""
        depth, width = self.shape[1:]
        return self.grid.image if self.pixel_unit == MILLIMETRES else f"{depth} x {width} px"

    @functools.cached_property
    def origin(self) -> Origin:
        """What made the store, and out of what."""
        return from_attributes(self.attributes)

    def origin_as(self, kind: type[Made]) -> Made:
        """Return the origin, which a maker knows to be its own.

        Raises
        ------
        TypeError
            If it is of another kind.
        """
        if not isinstance(self.origin, kind):
            raise TypeError(f"found an origin of {self.origin.name}, wanted {kind.name} sequences")
        return self.origin

    @property
    def dtype(self) -> str:
        """Type of the picture: of ``tvi``, of ``bmode`` or of ``image``."""
        return self.variable(self.picture).dtype

    @property
    def picture(self) -> str:
        """Name of the variable that holds what is seen, written or rendered."""
        return _PICTURES.get(self.kind, "tvi")

    @property
    def is_rendered(self) -> bool:
        """Whether the picture is not written, but made when it is read."""
        return self.picture not in self.variables

    @property
    def coordinate_names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(each.name for each in coordinates_of(self.kind))

    def is_cut_in_time(self, name: str) -> bool:
        """Return whether a variable is written sequence by sequence, and windows of it read."""
        return is_cut_in_time(self.variable(name), self.sizes)

    @property
    def frames_of_chunk(self) -> int:
        """Frames that a chunk of the picture holds."""
        return chunks_of(self.variable(self.picture), self.sizes, self.part_size)[1]

    def sequences_of(self, part: int) -> range:
        """Return the indices of the sequences in a part."""
        first = part * self.part_size
        return range(first, min(first + self.part_size, self.sequences))

    def variable(self, name: str) -> Variable:
        """Return the declaration of a variable or coordinate, with its type in this store."""
        found = {v.name: v for v in (*VARIABLES, *coordinates_of(self.kind))}[name]
        units = self.pixel_unit if name in {"depth", "width"} else found.units
        return dataclasses.replace(found, dtype=self.dtypes.get(name, found.dtype), units=units)

    def chunk_keys(self, name: str, part: int) -> list[str]:
        """Return the keys of the chunks of a variable that belong to a part."""
        variable = self.variable(name)
        chunks = chunks_of(variable, self.sizes, self.part_size)
        counts = [-(-self.sizes[dim] // n) for dim, n in zip(variable.dims, chunks, strict=True)]
        firsts = self.sequences_of(part) if chunks[0] == 1 else [part]
        if chunks[0] == 1 and self.part_size == 1:
            firsts = [part]
        rest = [()] if len(counts) == 1 else list(np.ndindex(*counts[1:]))
        return [
            f"{name}/" + ".".join(["c", str(first), *(str(i) for i in index)])
            for first in firsts
            for index in rest
        ]

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        plain = {"format_version": FORMAT_VERSION, **dataclasses.asdict(self)}
        if self.pixel_unit == MILLIMETRES:
            del plain["pixel_unit"]  # as it was before there were others
        if self.sample_rate is None:
            del plain["sample_rate"]
        return plain

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made.

        Raises
        ------
        InputError
            If the format's version is not known.
        KeyError, TypeError, ValueError
            If the values are not a layout's.
        """
        check_version(values.get("format_version"))
        known = {"pixel_unit": MILLIMETRES, "sample_rate": None, **values}
        fields = {field.name: known[field.name] for field in dataclasses.fields(cls)}
        fields["variables"] = tuple(fields["variables"])
        fields["pixel_size"] = tuple(fields["pixel_size"])
        layout = cls(**fields)
        for name in layout.variables:
            variable = layout.variable(name)
            shape = [layout.sizes[dim] for dim in variable.dims]
            if layout.kind not in KINDS or min(layout.part_size, *shape) < 1:
                raise ValueError(f"{name} has no sound size")
        return layout

    def coordinates(self) -> dict[str, NDArray[Any]]:
        """Return the values of the coordinates."""
        depth, width = self.pixel_size
        samples = (
            {}
            if self.sample_rate is None
            else {"sample": np.arange(self.sizes["sample"]) / self.sample_rate}
        )
        return {
            "sequence": np.arange(self.sequences),
            "time": np.arange(self.sizes["time"]) / self.frame_rate,
            "depth": (np.arange(self.sizes["depth"]) + 0.5) * depth,
            "width": (np.arange(self.sizes["width"]) + 0.5) * width,
            **samples,
        }

    def metadata(self) -> dict[str, bytes]:
        """Return the Zarr metadata documents by key; that of the whole group is the root's."""
        memory = zarr.storage.MemoryStore()
        attributes = {
            "title": TITLES.get(self.kind, SEQUENCES),
            **grid_attributes(
                format_version=FORMAT_VERSION,
                kind=self.kind,
                part_size=self.part_size,
                frame_rate=self.frame_rate,
                pixel_size=self.pixel_size,
                pixel_unit=self.pixel_unit,
                sample_rate=self.sample_rate,
            ),
            **self.attributes,
        }
        if self.is_rendered:
            attributes[COMMENT] = RENDERED_VIDEO if self.kind == VIDEO else RENDERED
        group = zarr.create_group(memory, attributes=attributes)
        for name in (*self.variables, *self.coordinate_names):
            variable = self.variable(name)
            size = np.dtype(variable.dtype).itemsize
            shuffled = BloscCodec(typesize=size, shuffle="shuffle", **COMPRESSION)
            compressors = [shuffled] if variable.compressed else []
            group.create_array(
                name,
                shape=tuple(self.sizes[dim] for dim in variable.dims),
                chunks=chunks_of(variable, self.sizes, self.part_size),
                dtype=variable.dtype,
                # Files side by side, not each in folders of its own: a third of the entries to
                # sync.
                chunk_key_encoding={"name": "default", "separator": "."},
                compressors=[*compressors, Crc32cCodec()],
                fill_value=variable.fill_value,
                dimension_names=variable.dims,
                attributes={"long_name": variable.meaning, "units": variable.units or "1"},
            )
        with warnings.catch_warnings():
            # Consolidated metadata is not in the Zarr 3 text yet; xarray reads it, others pass it
            # by.
            warnings.simplefilter("ignore", ZarrUserWarning)
            zarr.consolidate_metadata(memory)
        return sync(_documents(memory))  # unlike asyncio.run, works in notebooks too


async def _documents(memory: zarr.storage.MemoryStore) -> dict[str, bytes]:
    documents = {}
    async for key in memory.list():
        content = await memory.get(key, default_buffer_prototype())
        if content is not None:
            documents[key] = content.to_bytes()
    return dict(sorted(documents.items()))


def check_version(found: Any) -> None:
    """Raise InputError unless `found` is the version of the layout that this musim knows."""
    if found != FORMAT_VERSION:
        raise InputError(
            f"store: found format version {found}, wanted {FORMAT_VERSION}; read it with the musim "
            "that wrote it, or make it again from its parameters and seed"
        )
