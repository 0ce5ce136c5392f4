"""From recordings to a store of the units found in them, with a table beside it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...datasets import writer
from ...datasets.layout import ROOT, Layout, software
from ...datasets.location import Location
from ...datasets.production import produce
from ...datasets.store import Store, open_store
from ...simulator.errors import FailureError, InputError
from .methods import USUAL, identify, method_named
from .remarks import REMARKS
from .stored import METHOD, REMARKED, RUNS, SOURCES, VARIABLES, pack, source_of
from .unit_table import check_table, table_path, write_table
from .units import Recording, check

MOST_UNITS = 100
"""Units of a recording that a store has room for."""

FASTEST = 50.0
"""Firings a second of a unit that a store has room for, Hz: above any voluntary mean rate."""


def recording_of(store: Store, index: int) -> Recording:
    """Return one sequence of any store as a recording."""
    tvi = store.tvi(index).astype(np.float32, copy=False)
    return Recording(tvi, store.layout.frame_rate, store.layout.pixel_size)


def plan(stores: Sequence[Store], method: str, runs: Sequence[str] = ()) -> Layout:
    """Decide what a store of results will hold.

    Parameters
    ----------
    stores : sequence of Store
        The recordings; their sequences follow one another in the result.
    method : str
    runs : sequence of str
        See :func:`identify_stores`.

    Raises
    ------
    InputError
        If the stores have different grids, or there is no such method.
    """
    if not stores:
        raise InputError("recordings: found none, wanted one or more")
    has_truth = all(store.has_truth for store in stores)
    chosen = method_named(method).check(has_truth, runs)
    first = stores[0].layout
    for store in stores[1:]:
        layout = store.layout
        found = (layout.shape, layout.frame_rate, layout.pixel_size)
        wanted = (first.shape, first.frame_rate, first.pixel_size)
        if found != wanted:
            raise InputError(
                f"{store.location}: found {_grid(layout)}, wanted {_grid(first)} as in "
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
            "pulse": int(frames / first.frame_rate * FASTEST) + 8,
        },
        part_size=1,
        dtypes={},
        frame_rate=first.frame_rate,
        pixel_size=first.pixel_size,
        attributes={
            METHOD: method,
            **({RUNS: json.dumps(chosen)} if chosen else {}),
            SOURCES: json.dumps(
                [{"store": store.location.address, "sequences": len(store)} for store in stores]
            ),
            REMARKED: " ".join(REMARKS),
            "musim_software": software(),
        },
    )


def _grid(layout: Layout) -> str:
    frames, depth, width = layout.shape
    dz, dx = layout.pixel_size
    return (
        f"{depth} x {width} px of {dz:g} x {dx:g} mm and {frames} frames at "
        f"{layout.frame_rate:g} Hz"
    )


def identify_stores(
    recordings: Sequence[Any],
    out: Any,
    *,
    method: str = USUAL,
    runs: Sequence[str] = (),
    workers: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Store:
    """Find the units in all sequences of some stores.

    Parameters
    ----------
    recordings : sequence of str or path
        Stores, simulated or imported, of one grid.
    out : str or path
        Where the store of results is written. Local, ``NAME.zarr`` gets ``NAME.csv`` beside it.
    method : str
        One of :data:`musim.training.identification.methods.METHODS`.
    runs : sequence of str
        Runs of ``musim train detect`` and ``twitch`` for the method ``network``; those that come
        with musim stand in for what is not given.
    workers, scheduler, resume, overwrite, on_progress
        See :func:`musim.datasets.production.produce`.

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
    stores = [open_store(recording) for recording in recordings]
    layout, location = plan(stores, method, runs), Location(out)
    _check_apart(location, stores)
    if location.is_local:
        check_table(location, replace=resume or overwrite)
    if overwrite and location.exists(ROOT):
        # What is replaced is lost once the work begins: so what may be wrong is looked for first.
        for source in stores:
            for index in range(len(source)):
                with _naming(source, index):
                    check(recording_of(source, index))
    store = produce(
        location,
        layout,
        make_part,
        workers=workers,
        # Other processes do not see what lies in this one's memory.
        pool="processes" if all(store.location.is_shared for store in stores) else "threads",
        scheduler=scheduler,
        resume=resume,
        overwrite=overwrite,
        on_progress=on_progress,
    )
    if location.is_local:
        write_table(store, table_path(location))
    return store


def _check_apart(location: Location, stores: Sequence[Store]) -> None:
    """Raise InputError if the result would replace a recording, or lie in one."""
    for place in (store.location for store in stores):
        same = location.address == place.address
        if location.is_local and place.is_local:
            target, source = location.path.resolve(), place.path.resolve()
            same = target.is_relative_to(source) or source.is_relative_to(target)
        if same:
            raise InputError(
                f"{location}: found the recording {place} at this place, wanted one apart from "
                "it; choose another"
            )


@contextmanager
def _naming(store: Store, index: int) -> Iterator[None]:
    """Name the sequence in what is said of it."""
    try:
        yield
    except (InputError, FailureError) as error:
        if str(store.location) in str(error):
            raise
        raise type(error)(f"{store.location}, sequence {index}: {error}") from error


def make_part(url: str, layout: Layout, part: int) -> None:
    """Find the units of one sequence and write them; runs wherever dask puts it."""
    from threadpoolctl import threadpool_limits

    store, index = source_of(layout, part)
    method = str(layout.attributes[METHOD])
    recording = recording_of(store, index)
    truth = store.truth(index) if store.has_truth else None
    runs = json.loads(str(layout.attributes.get(RUNS, "[]")))
    with _naming(store, index):
        # Each worker has one core: linear algebra that spreads over all would fight over them.
        with threadpool_limits(1):
            units = identify(recording, method, truth=truth, runs=runs)
        packed = pack(units, recording, layout)
    arrays = {name: values[None] for name, values in packed.items()}
    writer.write_part(Location(url), layout, part, arrays)
