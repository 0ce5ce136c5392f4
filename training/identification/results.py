"""From recordings to a store of the units found in them, with a table beside it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Unpack

import numpy as np

from ...datasets.event_tables import EventTable, read_events
from ...datasets.importing.hashing import sha256_of
from ...datasets.labels import Labelled
from ...datasets.layout import Layout
from ...datasets.location import Location
from ...datasets.origin import (
    Identified,
    Origin,
    Searched,
    Simulated,
    recorded_by,
    to_attributes,
)
from ...datasets.production import Input, Maker, Part, Work, WorkOptions, produce
from ...datasets.store import Store, open_sequences
from ...simulator.errors import FailureError, InputError
from ...simulator.experiment.own_maps import with_own_maps
from ...simulator.imaging.filtering import BandPass
from ...simulator.sequence import Truth
from .confidence.least import check_least
from .firings import way_named
from .known_firings import events_of, room_for_firings
from .methods import METHODS, Method, identify, method_named, usual_method
from .remarks import REMARKS
from .stored import VARIABLES, pack, source_of
from .unit_table import check_table, table_path, write_table
from .units import Recording, check

MOST_UNITS = 100
"""Units of a recording that a store has room for."""


def recording_of(store: Store, index: int) -> Recording:
    """Return one sequence of any store as a recording."""
    if isinstance(store, Labelled):
        return recording_of(*store.recording(index))
    tvi = store.tvi(index).astype(np.float32, copy=False)
    rate = store.layout.frame_rate
    return Recording(tvi, rate, store.layout.pixel_size, band_of(store.origin, rate))


def band_of(origin: Origin, frame_rate: float) -> BandPass | None:
    """Return what the sequences of a store were passed through, as far as it is known.

    Parameters
    ----------
    origin : Origin
    frame_rate : float
        Of the sequences, Hz; corners beyond what it shows are no loss.
    """
    recorded = recorded_by(origin)
    chain = None if recorded is None else recorded.chain
    if isinstance(origin, Simulated) and origin.doses is not None:
        from ...simulator.experiment.recording import chain_of

        chain = chain_of(origin.parameters)
    if chain is None or chain.band is None:
        return None
    low, high = chain.band[0], min(chain.band[1], 0.45 * frame_rate)
    if low >= high:
        return None
    return BandPass(low=low, high=high, frame_rate=frame_rate, order=chain.order)


def truth_of(store: Store, index: int) -> Truth:
    """Return the truth of one sequence of a store, with its own maps where musim made its voxels.

    Raises
    ------
    InputError
        If the store holds no truth.
    """
    truth, origin = store.truth(index), store.origin
    if not isinstance(origin, Simulated):
        return truth  # what translating did to motion is not known
    return with_own_maps(truth, origin.parameters, origin.doses, seed=origin.seed, index=index)


def plan(
    stores: Sequence[Store],
    method: str,
    runs: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    events: str | Path | None = None,
    firings: str | None = None,
    min_confidence: float = 0.0,
    epochs: int = 0,
    usual: bool = False,
) -> Layout:
    """Decide what a store of results will hold.

    Parameters
    ----------
    stores : sequence of Store
        The recordings; their sequences follow one another in the result.
    method : str
    runs, settings, events, firings, min_confidence, epochs
        See :func:`identify_stores`.
    usual : bool
        Whether the method was not asked for.

    Raises
    ------
    InputError
        If the stores have different grids, or there is no such method.
    """
    if not stores:
        raise InputError("recordings: found none, wanted one or more")
    has_truth = all(store.has_truth for store in stores)
    named = method_named(method)
    chosen, values = named.check(has_truth, runs), named.settings_of(settings)
    named.check_events(has_truth, events is not None)
    way_named(firings)
    least = check_least(min_confidence)
    first = stores[0].layout
    if epochs:
        named.check_epochs(epochs, first.shape[0], first.frame_rate)
    for store in stores[1:]:
        if not store.layout.grid.fits(first.grid):
            raise InputError(
                f"{store.location}: found {store.layout.grid}, wanted {first.grid} as in "
                f"{stores[0].location}; identify recordings of different grids apart"
            )
    sequences = sum(len(store) for store in stores)
    frames, depth, width = first.shape
    return Layout(
        kind="identified",
        variables=VARIABLES,
        sizes={
            "sequence": sequences,
            "time": frames,
            "depth": depth,
            "width": width,
            "unit": MOST_UNITS,
            "pulse": room_for_firings(frames / first.frame_rate),
        },
        part_size=1,
        dtypes={},
        frame_rate=first.frame_rate,
        pixel_size=first.pixel_size,
        attributes=to_attributes(
            Identified(
                method=method,
                searched=tuple(Searched(one.location.address, len(one)) for one in stores),
                runs=tuple(chosen),
                remarks=tuple(REMARKS),
                firings=firings or "",
                min_confidence=least,
                epochs=epochs,
                usual=usual,
                settings={} if values is None else values.to_json(),
                events={}
                if events is None
                else {"file": Path(events).name, "sha256": sha256_of(events)},
            )
        ),
    )


def identify_stores(
    recordings: Sequence[Any] | str | Path | Store,
    out: Any,
    *,
    method: str | None = None,
    runs: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    events: str | Path | None = None,
    firings: str | None = None,
    min_confidence: float = 0.0,
    epochs: int = 0,
    **work: Unpack[WorkOptions],
) -> Store:
    """Find the units in all sequences of some stores.

    Parameters
    ----------
    recordings : sequence of str, path or Store
        Stores, simulated or imported, of one grid; one of them may be given alone.
    out : str or path
        Where the store of results is written. Local, ``NAME.zarr`` gets ``NAME.csv`` beside it.
    method : str, optional
        One of :data:`musim.training.identification.methods.METHODS`; the usual one if left out,
        which the store then says.
    runs : sequence of str
        Runs of ``musim train detect`` and ``twitch`` for the method ``network``; those that come
        with musim stand in for what is not given.
    settings : mapping of str to object, optional
        Of the method, by their names, as values or as texts; ``musim methods NAME`` lists them.
    events : path, optional
        A table of firings that are known, for the method ``sta``; see
        :func:`musim.datasets.event_tables.read_events`.
    firings : str, optional
        How firings are found in trains, one of
        :data:`musim.training.identification.firings.FIRINGS`; ``family`` where the recording
        allows it.
    min_confidence : float
        Units of less confidence are left out and counted, 0..1.
    epochs : int
        In how many epochs, each overlapping the next by half, units are found anew, to tell how
        they come back.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        Of the recordings' grid, with the units found; read it as any other.

    Raises
    ------
    InputError
        If a store cannot be used, a recording is constant, too short or not finite, or the result
        or its table would replace something else. What this call began to write is then removed.
    FailureError
        If the result cannot be written.
    """
    alone = isinstance(recordings, str | Path | Store)
    stores = [open_sequences(one) for one in ([recordings] if alone else recordings)]
    table = None if events is None else read_events(events)
    name = usual_method(runs) if method is None else method
    layout = plan(
        stores, name, runs, settings, events, firings, min_confidence, epochs, method is None
    )
    maker, location, how = (
        Identification(layout=layout, method=method_named(name), events=table),
        Location(out),
        Work(**work),
    )
    if location.is_local:
        check_table(location, replace=how.resume or how.overwrite)
    store = produce(maker, location, how)
    if location.is_local:
        write_table(store, table_path(location))
    return store


@dataclass(frozen=True, kw_only=True)
class Identification(Maker[int]):
    """Finds the units of recordings: each is a part, and a task.

    Parameters
    ----------
    layout : Layout
    method : Method, optional
        That of the origin. It goes to the workers, who do not know what a script registers.
    events : EventTable, optional
        Firings that are known, for methods that take them.
    """

    method: Method | None = None
    events: EventTable | None = field(default=None, repr=False)

    less: ClassVar[str] = "a store of fewer sequences"

    @property
    def inputs(self) -> list[Input]:
        """The recordings' stores."""
        searched = self.layout.origin_as(Identified).searched
        return [Input("the recording", Location(one.store)) for one in searched]

    def read_through(self) -> None:
        """Raise InputError if a recording is none that units can be looked for in."""
        for part in range(self.layout.parts):
            store, index = source_of(self.layout, part)
            with naming(store, index):
                check(recording_of(store, index), still=True)
                if self.events is not None:
                    events_of(self.events, store, index)

    def make(self, task: int) -> Iterator[Part]:
        """Find the units of one sequence."""
        from threadpoolctl import threadpool_limits

        store, index = source_of(self.layout, task)
        origin = self.layout.origin_as(Identified)
        if self.method is not None:
            METHODS.setdefault(origin.method, self.method)
        recording = recording_of(store, index)
        truth = self._truth(store, index)
        with naming(store, index):
            events = None if self.events is None else events_of(self.events, store, index)
            # Each worker has one core: linear algebra that spreads over all would fight over them.
            with threadpool_limits(1):
                units = identify(
                    recording, origin.method, truth=truth, runs=origin.runs,
                    settings=origin.settings, events=events, firings=origin.firings or None,
                    min_confidence=origin.min_confidence, epochs=origin.epochs,
                )  # fmt: skip
            packed = pack(units, recording, self.layout)
        yield Part(task, {name: values[None] for name, values in packed.items()})

    def _truth(self, store: Store, index: int) -> Truth | None:
        """Return what the method is given of the truth; maps take a while to draw."""
        if not store.has_truth:
            return None
        named = method_named(self.layout.origin_as(Identified).method)
        return truth_of(store, index) if named.truth == "needed" else store.truth(index)


@contextmanager
def naming(store: Store, index: int) -> Iterator[None]:
    """Name the sequence of a store in what is said of it."""
    try:
        yield
    except (InputError, FailureError) as error:
        if str(store.location) in str(error):
            raise
        raise type(error)(f"{store.location}, sequence {index}: {error}") from error
