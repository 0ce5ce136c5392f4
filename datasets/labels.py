"""Recordings with the units that people say are in them: curated units, taken for the truth.

A store of curated units holds no recordings, but knows where they are. Here both are read as one
store of recordings that know their true units, so that whatever learns from simulated ones, or is
scored against them, takes these as well.
"""

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import InputError
from .layout import Layout
from .location import Location
from .origin import Curated
from .schema import VARIABLES
from .store import Store, open_sequences, token_of

if TYPE_CHECKING:
    import xarray

_TRUE = {v.name: v for v in VARIABLES if v.truth and not v.only}
"""What is known of simulated sequences; of labels, what nobody can say is NaN, or 0."""


class Labelled(Store):
    """Recordings, with curated units for their truth; see :func:`open_with_labels`.

    What is true of simulated units alone (displacement, contraction time, SNR, noise) is NaN.

    Raises
    ------
    InputError
        If a recording is not there any more, or another one is.
    """

    def __init__(self, location: Location, layout: Layout) -> None:
        super().__init__(location, layout)
        origin = layout.origin_as(Curated)
        self._recordings = {one.store: open_sequences(one.store) for one in origin.searched}
        for one, seal in zip(origin.searched, origin.recorded, strict=True):
            found = self._recordings[one.store]
            if token_of(found.location) != seal:
                raise InputError(
                    f"{found.location}: found another store than the units of {location} were "
                    "found in, wanted the same; curate them anew"
                )

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave what was read behind: other processes open the store for themselves."""
        return Labelled, (self.location, self.layout)

    def recording(self, index: int) -> tuple[Store, int]:
        """Return the store of a recording, and its place in it."""
        address, place = self.layout.origin_as(Curated).source_of(index)
        return self._recordings[address], place

    @property
    def kind(self) -> str:
        """Where voxels come from: they are stored, as far as whoever reads them is concerned."""
        return "dense"

    @property
    def has_truth(self) -> bool:
        """Whether the store knows its sequences' true units: people have said so."""
        return True

    @property
    def trials(self) -> int:
        """Sequences of one subject that follow one another, where all come from one store."""
        first, *rest = self._recordings.values()
        return 1 if rest else first.trials

    @functools.cached_property
    def dataset(self) -> "xarray.Dataset":
        """The units as a lazy Dataset, with the recordings as ``tvi``."""
        import dask.array
        import xarray

        curated = xarray.open_zarr(self._zarr, zarr_format=3, consolidated=True, chunks={})
        searched = self.layout.origin_as(Curated).searched
        parts = [self._recordings[one.store].dataset["tvi"] for one in searched]
        voxels = dask.array.concatenate([part.data for part in parts])
        return curated.assign({"tvi": (parts[0].dims, voxels, parts[0].attrs)})

    def read(self, name: str, index: int) -> NDArray[Any]:
        """Return one variable of one sequence, as of a simulated one."""
        if name in self.layout.variables or name not in _TRUE:
            return super().read(name, index)
        self._check_index(index)
        variable = _TRUE[name]
        sizes = {**self.layout.sizes, "word": 4}
        shape = tuple(sizes[dim] for dim in variable.dims[1:])
        return np.full(shape, variable.fill_value, variable.dtype)

    def tvi(self, index: int, **window: Any) -> NDArray[Any]:
        """Return the voxels of one recording, or of a window of it, as :meth:`Store.tvi` does."""
        self._check_index(index)
        source, place = self.recording(index)
        return source.tvi(place, **window)


def open_with_labels(url: Any) -> Store:
    """Open a store to learn from or to score against.

    Parameters
    ----------
    url : str, path or Store
        Of recordings; or of curated units, whose recordings are read with it.

    Returns
    -------
    Store
        A :class:`Labelled` one of curated units.

    Raises
    ------
    InputError
        As of :func:`.store.open_sequences`, and if the recordings of curated units are not there.
    """
    store = open_sequences(url)
    if isinstance(store, Labelled) or not isinstance(store.origin, Curated):
        return store
    return Labelled(store.location, store.layout)
