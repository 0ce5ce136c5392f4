"""Opening a store: as a labelled xarray Dataset, and sequence by sequence."""

import dataclasses
import functools
import json
import math
import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex

import google_crc32c
import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import ByteRequest
from zarr.abc.store import Store as ZarrStore
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore

from ..simulator.errors import FailureError, InputError, MusimError
from ..simulator.experiment.anatomy import Artery, artery_of, places_of
from ..simulator.experiment.doses import ABSENT
from ..simulator.parameters import Parameters
from ..simulator.rendering import WHOLE, bounds, render_arrays
from ..simulator.seeds import NOISE_KEY_WORDS
from ..simulator.sequence import Truth
from ..simulator.territory import fat_thickness
from .chunks import is_ours, read_truth
from .layout import Layout, check_version
from .location import Location
from .origin import (
    Drawn,
    Origin,
    SampledImages,
    ScannedLabels,
    Simulated,
    Translated,
    format_version_of,
    from_attributes,
)
from .quick_recordings import colour_of, read_recording, render
from .replacing import unfinished_exchange
from .schema import DOSE, SECTION, SLICES, VIDEO, chunks_of
from .store_files import PLAN, ROOT, SEAL
from .voxels import aligned_empty, damaged, missing, read_frames
from .writer import finished_parts, read_plan

IMPORT = "musim import makes stores of recordings"
"""What to do with what is no store."""

if TYPE_CHECKING:
    import dask.array
    import xarray

    from ..simulator.experiment.residual import Colour

KEPT_PARTS = 6
"""Parts whose truth a store keeps after reading it: a few more than a shuffling reader mixes."""

_TRUTH_APART = ("noise", "fat", "doses", *places_of(None))
_TRUTH_SCALARS = (
    "synchrony", "snr", "noise_sd", "strength_ratio", "amplitude_variation", "duration_variation",
)  # fmt: skip
_OF_FIRINGS = ("firing", "firing_amplitude", "firing_duration")


class _StrictStore(WrapperStore[ZarrStore]):
    """A Zarr store in which a chunk that is missing is an error, never a silent fill value."""

    def __init__(self, location: Location, layout: Layout) -> None:
        super().__init__(location.zarr_store(read_only=True))
        self.location = location
        self.layout = layout

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        content = await self._store.get(key, prototype, byte_range)
        if content is None and "/c." in key:
            raise missing(self.location, self.layout, key)
        if content is not None and "/c." in key and byte_range is None:
            stored = content.as_numpy_array()
            if google_crc32c.value(stored[:-4]).to_bytes(4, "little") != stored[-4:].tobytes():
                raise damaged(self.location, self.layout, key)
        return content


class Store:
    """A store of sequences, opened for reading.

    Parameters
    ----------
    location : Location
    layout : Layout

    Notes
    -----
    Use :func:`open_store`. Nothing is read but metadata until values are asked for.
    """

    def __init__(self, location: Location, layout: Layout) -> None:
        self.location = location
        self.layout = layout
        self._zarr = _StrictStore(location, layout)
        self._group = zarr.open_group(self._zarr, mode="r", zarr_format=3)
        room = KEPT_PARTS * len(layout.variables)
        self._kept = functools.lru_cache(maxsize=room)(self._load_part)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave what was read behind: other processes open the store for themselves."""
        return Store, (self.location, self.layout)

    def __repr__(self) -> str:
        """Return what it is, in one line."""
        what = f"sequences of {self.layout.grid}"
        if self.is_section:
            what = f"images of {self.layout.image}"
        elif self.is_video:
            frames, rate = self.layout.shape[0], self.layout.frame_rate
            what = f"videos of {self.layout.image} and {frames} frames at {rate:g} Hz"
        elif self.is_slices:
            what = f"pairs of slices of {self.layout.image}"
        return f"<musim.Store {self.location}: {len(self)} {what}>"

    def _repr_html_(self) -> str:
        """Return what notebooks show; see :mod:`.notebook`."""
        from .notebook import html_of

        return html_of(self)

    def __len__(self) -> int:
        """Return the number of sequences."""
        return self.layout.sequences

    def __iter__(self) -> Iterator["xarray.Dataset"]:
        """Yield every sequence, as ``store[index]`` gives it."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: SupportsIndex | slice) -> "xarray.Dataset":
        """Return one sequence without padding, or a slice of them with it, as lazy Datasets.

        Parameters
        ----------
        index : int or slice
            From the end, if it is negative.

        Raises
        ------
        IndexError
            If there is no such sequence.
        TypeError
            If it is neither a number nor a slice.
        """
        if isinstance(index, slice):
            return self.dataset.isel(sequence=index)
        if not hasattr(index, "__index__"):
            raise TypeError(
                f"{self.location}: found {index!r}, wanted the number of a sequence or a slice; "
                "variables are in store.dataset"
            )
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"{self.location}: found sequence {number}, wanted one of {len(self)}")
        number %= len(self)
        sequence = self.dataset.isel(sequence=number)
        kept = {}
        if "unit" in sequence.dims:
            kept["unit"] = slice(int(self.read("unit_count", number)))
        if "pulse" in sequence.dims:
            known = ~np.isnan(self.read("firing", number))
            kept["pulse"] = slice(int(known.sum(axis=1).max(initial=0)))
        if "component" in sequence.dims:
            kept["component"] = slice(int(self.read("component_count", number)))
        if self.is_video:
            kept |= self._recorded(number)
        return sequence.isel(kept)

    def _recorded(self, index: int) -> dict[str, slice]:
        """Return the frames of a video that are no padding, and the samples beside them."""
        frames = int(self.read("frame_count", index))
        rate = (self.layout.sample_rate or 0.0) / self.layout.frame_rate
        return {"time": slice(frames), "sample": slice(round(frames * rate))}

    @property
    def kind(self) -> str:
        """Where voxels come from.

        ``"dense"``: they are stored; ``"rendered"``: made from the truth when read;
        ``"identified"``: made when read, from the units that a method found in a recording.
        ``"section"``: there are none, but grey levels of images (``bmode``). ``"video"``: of many
        images of a muscle, with signals of its state. ``"slices"``: of pairs of intensities
        (``image``, ``image_b``).
        """
        return self.layout.kind

    @functools.cached_property
    def origin(self) -> Origin:
        """What made the store, and out of what."""
        return from_attributes(self.layout.attributes, str(self.location))

    @property
    def trials(self) -> int:
        """Sequences of one subject that follow one another; 1 where it is not known."""
        return 1 if self.parameters is None else self.parameters.trials

    @property
    def parameters(self) -> Parameters | None:
        """The resolved parameters of a simulated store; None of any other."""
        return self.origin.parameters if isinstance(self.origin, Simulated) else None

    @property
    def seed(self) -> int | None:
        """The seed of a store that was drawn from one; None of any other."""
        origin = self.origin
        return origin.seed if isinstance(origin, Drawn | SampledImages | ScannedLabels) else None

    @property
    def domain(self) -> str | None:
        """What made the voxels of a simulated store, one of :data:`.domains.DOMAINS`."""
        return self.origin.domain if isinstance(self.origin, Simulated) else None

    @property
    def is_section(self) -> bool:
        """Whether it holds images of the longitudinal section, and no tissue velocity."""
        return self.kind == SECTION

    @property
    def is_video(self) -> bool:
        """Whether it holds B-mode videos of muscle, and no tissue velocity."""
        return self.kind == VIDEO

    @property
    def is_slices(self) -> bool:
        """Whether it holds slices through pairs of volumes, and no tissue velocity."""
        return self.kind == SLICES

    @property
    def noise(self) -> str:
        """Model of the noise of a simulated store; white of any other, where noise is added."""
        return "white" if self.parameters is None else self.parameters.noise

    @property
    def has_truth(self) -> bool:
        """Whether the store knows its sequences' true units."""
        return self.has_units and self.kind != "identified"

    @property
    def has_units(self) -> bool:
        """Whether the store holds units, true or found."""
        return "territory" in self.layout.variables

    @property
    def has_recordings(self) -> bool:
        """Whether voxels are rendered from the maps and courses of quick recordings."""
        return "motion_map" in self.layout.variables

    @functools.cached_property
    def colour(self) -> "Colour":
        """How the scanner's noise of quick recordings is coloured."""
        return colour_of(self.layout)

    @functools.cached_property
    def dataset(self) -> "xarray.Dataset":
        """The whole store as one lazy Dataset over dask arrays, with ``tvi`` or what it shows."""
        import xarray

        dataset = xarray.open_zarr(self._zarr, zarr_format=3, consolidated=True, chunks={})
        if self.layout.is_rendered:
            picture = self.layout.variable(self.layout.picture)
            attributes = {"long_name": picture.meaning, "units": picture.units or "1"}
            rendered = (picture.dims, self._lazy_rendering(), attributes)
            dataset = dataset.assign({picture.name: rendered})
        return dataset

    def _lazy_rendering(self) -> "dask.array.Array":
        import dask.array
        from dask.array.core import normalize_chunks

        layout = self.layout
        picture = layout.variable(layout.picture)
        sizes = tuple(layout.sizes[dim] for dim in picture.dims)
        chunks = chunks_of(picture, layout.sizes, layout.part_size)
        return dask.array.map_blocks(
            _render_block,
            self.location.address,
            token_of(self.location),
            chunks[1],
            layout.dtype,
            chunks=normalize_chunks(chunks, sizes),
            dtype=layout.dtype,
            meta=np.empty((0, 0, 0, 0), layout.dtype),
        )

    def read(self, name: str, index: int) -> NDArray[Any]:
        """Return one variable of one sequence, padding included.

        Parameters
        ----------
        name : str
            A variable of the schema.
        index : int
            The sequence.

        Raises
        ------
        InputError
            If there is no such variable or sequence.
        FailureError
            If it is damaged.
        """
        self._check_index(index)
        if name not in self.layout.variables:
            raise InputError(
                f"{self.location}: found no variable {name!r}, wanted one of "
                f"{', '.join(self.layout.variables)}"
            )
        if self.layout.is_cut_in_time(name):
            return self.bmode(index) if self.is_video else self.tvi(index)
        part, row = divmod(index, self.layout.part_size)
        return self.read_part(name, part)[row]

    def read_part(self, name: str, part: int) -> NDArray[Any]:
        """Return one variable of all sequences of a part; the last parts read are kept."""
        return self._kept(name, part)

    def _load_part(self, name: str, part: int) -> NDArray[Any]:
        indices = self.layout.sequences_of(part)
        with self._reporting(name, part):
            array: Any = self._group[name]
            if self.location.is_local and is_ours(array, self.layout, name):
                values = read_truth(self.location, self.layout, name, part)
            else:
                values = np.asarray(array[indices.start : indices.stop])
        values.flags.writeable = False
        return values

    def tvi(
        self,
        index: int,
        *,
        time: slice = WHOLE,
        depth: slice = WHOLE,
        width: slice = WHOLE,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Return the voxels of one sequence, or of a window of it: read, or rendered.

        Parameters
        ----------
        index : int
        time, depth, width : slice
            The window, in frames and px.
        out : float32 or float16 array of shape (time, depth, width), optional
            Filled and returned, in place of an array of its own.

        Returns
        -------
        array of the store's dtype and of shape (time, depth, width)
            Tissue velocity, mm/s.

        Raises
        ------
        InputError
            If there is no such sequence, or the store holds no tissue velocity.
        FailureError
            If it is damaged.
        """
        check_velocity(self)
        self._check_index(index)
        (start, stop), *_ = window = [
            bounds(name, window, length)
            for name, window, length in zip(
                ("time", "depth", "width"), (time, depth, width), self.layout.shape, strict=True
            )
        ]
        shape = tuple(stop - start for start, stop in window)
        if out is not None and out.shape != shape:
            raise ValueError(f"out: found shape {out.shape}, wanted {shape}")
        if self.kind == "dense":
            with self._reporting("tvi", index // self.layout.part_size):
                if not self.location.is_local:
                    voxels = np.asarray(self._group["tvi"][index, time, depth, width])  # type: ignore[index]
                else:
                    voxels = self._read_frames(index, start, stop, out)[:, depth, width]
            return _into(out, voxels)
        noisy = self.kind == "rendered"  # what was identified is without noise
        silent = np.zeros(NOISE_KEY_WORDS, np.uint32)
        added: dict[str, Any] = {
            "noise_key": self.read("noise_key", index) if noisy else silent,
            "noise_sd": float(self.read("noise_sd", index)) if noisy else 0.0,
            "noise": self.noise,
        }
        places: dict[str, Any] = {"time": time, "depth": depth, "width": width}
        if self.has_recordings:
            voxels = render(read_recording(self, index), self.colour, **added, **places)
        else:
            count = int(self.read("unit_count", index))
            voxels = render_arrays(
                self.read("territory", index)[:count].astype(np.float32, copy=False),
                self.read("twitch_train", index)[:count],
                **added, **places,
            )  # fmt: skip
        return _into(out, voxels.astype(self.layout.dtype, copy=False))

    def bmode(
        self, index: int, *, time: slice = WHOLE, depth: slice = WHOLE, width: slice = WHOLE
    ) -> NDArray[np.uint8]:
        """Return the images of one sequence, or a window of them: read, or rendered.

        Parameters
        ----------
        index : int
        time, depth, width : slice
            The window, in frames and px.

        Returns
        -------
        uint8 array of shape (time, depth, width)
            Grey levels; 0 in frames beyond the ``frame_count`` of a video.

        Raises
        ------
        InputError
            If there is no such sequence, or the store holds no images.
        FailureError
            If it is damaged.
        """
        if not (self.is_section or self.is_video):
            raise InputError(
                f"{self.location}: found {shown_in(self)}, wanted images or videos of muscle"
            )
        self._check_index(index)
        frames, *window = [
            slice(*bounds(name, window, length))
            for name, window, length in zip(
                ("time", "depth", "width"), (time, depth, width), self.layout.shape, strict=True
            )
        ]
        if self.is_section:
            return self.read("bmode", index)[(frames, *window)]
        if self.layout.is_rendered:
            from .videos.rendering import frames_of

            return frames_of(self, index, frames)[:, *window]
        with self._reporting("bmode", index // self.layout.part_size):
            return np.asarray(self._group["bmode"][index, frames, *window])  # type: ignore[index]

    def _read_frames(
        self, index: int, start: int, stop: int, out: NDArray[Any] | None
    ) -> NDArray[Any]:
        """Return whole frames, read into `out` if they fit there as they are."""
        shape = (stop - start, *self.layout.shape[1:])
        dtype = np.dtype(self.layout.dtype).newbyteorder("<")
        fits = out is not None and out.dtype == dtype and out.shape == shape
        if out is None or not fits or not out.flags.c_contiguous:
            out = aligned_empty(shape, dtype)
        if len(out):
            read_frames(self.location, self.layout, index, start, out)
        return out.astype(self.layout.dtype, copy=False)

    def truth(self, index: int) -> Truth:
        """Return the truth of one sequence, without padding.

        Raises
        ------
        InputError
            If the store holds no truth.
        """
        if not self.has_truth:
            raise InputError(
                f"{self.location}: found a store without truth, wanted a simulated one"
            )
        count = int(self.read("unit_count", index))
        values: dict[str, Any] = {}
        for name, field in Truth.__dataclass_fields__.items():
            # What has a default is written where it may be another.
            optional = field.default is not dataclasses.MISSING
            if name in _TRUTH_APART or (optional and name not in self.layout.variables):
                continue
            value = self.read(name, index)
            if name in _TRUTH_SCALARS:
                values[name] = float(value)
            else:
                values[name] = value if name == "noise_key" else value[:count]
        columns = int((~np.isnan(values["firing"])).sum(axis=1).max(initial=1))
        values["territory"] = values["territory"].astype(np.float32, copy=False)
        for name in values.keys() & _OF_FIRINGS:
            values[name] = values[name][:, : max(columns, 1)]
        return Truth(
            **values,
            **places_of(self.artery(index)),
            noise=self.noise,
            fat=self.fat(index),
            doses=self.doses(index),
        )

    def fat(self, index: int) -> float:
        """Return the thickness of skin and fat in one sequence, mm; NaN where it is not known."""
        if "fat" in self.layout.variables:
            return float(self.read("fat", index))
        # Up to version 1.0 it was not written, but follows from parameters and seed.
        origin = self.origin
        if isinstance(origin, Simulated | Translated) and origin.parameters is not None:
            return fat_thickness(
                origin.parameters, origin.seed or 0, origin.parameters.subject(index)
            )
        return math.nan

    def doses(self, index: int) -> dict[str, float] | None:
        """Return the doses that were drawn for a sequence of the virtual experiment, by name."""
        names = [name for name in self.layout.variables if name.startswith(DOSE)]
        if names:
            written = {name.removeprefix(DOSE): float(self.read(name, index)) for name in names}
            return {**ABSENT, **written}
        if isinstance(self.origin, Simulated) and self.origin.doses is not None:  # as with fat
            subject = self.origin.parameters.subject(index)
            return self.origin.doses.draw(self.origin.seed, subject)
        return None

    def artery(self, index: int) -> Artery | None:
        """Return the artery in a sequence of the virtual experiment; none where none is known."""
        names = places_of(None)
        if names.keys() <= set(self.layout.variables):
            measures = [float(self.read(name, index)) for name in names]
            return None if math.isnan(measures[0]) else Artery(*measures)
        if isinstance(self.origin, Simulated):  # as with fat
            subject = self.origin.parameters.subject(index)
            return artery_of(self.origin.parameters, self.doses(index), self.origin.seed, subject)
        return None

    def _check_index(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise InputError(
                f"{self.location}: found sequence {index}, wanted 0 to {len(self) - 1}"
            )

    def _reporting(self, name: str, part: int) -> "_Reporting":
        return _Reporting(self.location, name, part)


class _Reporting:
    """Turn what goes wrong while a part is read into one line that names the part."""

    def __init__(self, location: Location, name: str, part: int) -> None:
        self.what = f"{location}: part {part} is damaged in {name}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, FailureError | InputError):
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise FailureError(f"{self.what} ({reason}); run musim verify") from error


def _into(out: NDArray[Any] | None, voxels: NDArray[Any]) -> NDArray[Any]:
    """Return voxels, in `out` if there is one."""
    if out is None:
        return voxels
    if not np.may_share_memory(out, voxels):
        out[:] = voxels
    return out


def token_of(location: Location) -> str:
    """Return what tells a store from others at its place: the manifest's line of its seal."""
    return location.read(SEAL).decode().splitlines()[-1]


@functools.lru_cache(maxsize=8)
def _opened(url: str, token: str) -> Store:
    """Open a store once in a process; `token` tells it from others that were at the same place."""
    store = open_store(url)
    if token_of(store.location) != token:
        raise FailureError(
            f"{url}: found another store than was opened, wanted the same; open it again"
        )
    return store


def _render_block(
    url: str, token: str, frames: int, dtype: str, block_id: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """Render one block of a rendered store's ``tvi``."""
    if block_id is None:  # dask asks for the type of the result
        return np.empty((0, 0, 0, 0), dtype)
    sequence, block = block_id[:2]
    store, time = _opened(url, token), slice(block * frames, (block + 1) * frames)
    return (store.bmode if store.is_video else store.tvi)(sequence, time=time)[None]


def open_store(url: Any) -> Store:
    """Open a store.

    Parameters
    ----------
    url : str or path
        A path or an fsspec URL; a store that is open already is returned.

    Returns
    -------
    Store

    Raises
    ------
    InputError
        If there is nothing, something else, an unfinished store, or one of an unknown version.
    FailureError
        If its metadata are damaged.

    Examples
    --------
    >>> from musim.datasets import generate, open_store
    >>> from musim.simulator import Parameters
    >>> generated = generate(Parameters(), "memory://musim.zarr", sequences=2)
    >>> open_store("memory://musim.zarr").dataset.tvi.dims
    ('sequence', 'time', 'depth', 'width')
    """
    if isinstance(url, Store):
        return url
    location = url if isinstance(url, Location) else Location(url)
    if not location.exists():
        between = unfinished_exchange(location.path) if location.is_local else ""
        raise InputError(f"{location}: {between or 'found nothing there, wanted a musim store'}")
    if not location.exists(ROOT):
        if not location.exists(PLAN):
            raise InputError(
                f"{location}: found something else, wanted a musim store (Zarr); {IMPORT}"
            )
        layout = read_plan(location)
        done = len(finished_parts(location))
        raise InputError(
            f"{location}: found an unfinished store ({done} of {layout.parts} parts), wanted a "
            "whole one; run the command that began it again with `resume=True`"
        )
    try:
        attributes = dict(json.loads(location.read(ROOT))["attributes"])
    except (ValueError, KeyError, TypeError) as error:
        raise FailureError(f"{location}: {ROOT} is damaged; make the store again") from error
    if format_version_of(attributes) is None:
        raise InputError(
            f"{location}: found a Zarr group that is not musim's, wanted a musim store; {IMPORT}"
        )
    check_version(format_version_of(attributes))
    if not location.exists(PLAN):
        raise FailureError(
            f"{location}: {PLAN} is missing; copy the whole folder, hidden files too"
        )
    layout = read_plan(location)
    try:
        return Store(location, layout)
    except MusimError:
        raise
    except Exception as error:  # whatever Zarr makes of damaged metadata
        raise FailureError(f"{location}: {ROOT} is damaged; make the store again") from error


def open_sequences(url: Any) -> Store:
    """Open a store of tissue velocity, as :func:`open_store` does.

    Raises
    ------
    InputError
        As of that, and if it holds images or videos of muscle.
    """
    store = open_store(url)
    check_velocity(store)
    return store


def open_videos(url: Any) -> Store:
    """Open a store of B-mode videos of muscle, as :func:`open_store` does.

    Raises
    ------
    InputError
        As of that, and if it holds something else.
    """
    store = open_store(url)
    if not store.is_video:
        raise InputError(
            f"{store.location}: found {shown_in(store)}, wanted B-mode videos of muscle; musim "
            "generate --preset cunningham-2017 and musim import make stores of them"
        )
    return store


def open_slices(url: Any) -> Store:
    """Open a store of paired slices through volumes, as :func:`open_store` does.

    Raises
    ------
    InputError
        As of that, and if it holds something else.
    """
    store = open_store(url)
    if not store.is_slices:
        raise InputError(
            f"{store.location}: found {shown_in(store)}, wanted paired slices; musim import of "
            "two volumes makes stores of them"
        )
    return store


def check_velocity(store: Store) -> None:
    """Raise InputError if a store holds no tissue velocity."""
    if store.kind in _OTHERS:
        name = _OTHERS[store.kind][1]
        raise InputError(
            f"{store.location}: found {shown_in(store)}, wanted sequences of tissue velocity; "
            f"musim info, preview and verify take such {name}"
        )


def shown_in(store: Store) -> str:
    """Return what a store shows, in words."""
    return _OTHERS[store.kind][0] if store.kind in _OTHERS else "sequences of tissue velocity"


_OTHERS = {
    SECTION: ("images of the longitudinal section", "images"),
    VIDEO: ("B-mode videos of muscle", "videos"),
    SLICES: ("paired slices through volumes", "slices"),
}
"""What stores of other kinds show, at length and in short."""
