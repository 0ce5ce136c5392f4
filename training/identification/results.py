"""From recordings to a store of the units found in them, with a table beside it."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets import writer
from ...datasets.layout import ROOT, Layout, software
from ...datasets.location import Location
from ...datasets.production import produce
from ...datasets.store import Store, open_store
from ...simulator.errors import FailureError, InputError
from .methods import METHODS, identify
from .metrics.firing import rate_and_variation
from .units import Recording, Units, check

MOST_UNITS = 100
"""Units of a recording that a store has room for."""

FASTEST = 50.0
"""Firings a second of a unit that a store has room for, Hz: above any voluntary mean rate."""

VARIABLES = (
    "territory",
    "twitch_train",
    "firing",
    "unit_count",
    "centre_depth",
    "centre_width",
    "diameter",
    "overlap",
    "firing_rate",
    "interval_variation",
    "confidence",
    "velocity_sd",
)

SOURCES = "musim_sources"
METHOD = "musim_method"
RUNS = "musim_runs"


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
    chosen = check_method(method, all(store.has_truth for store in stores), runs)
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
            "musim_software": software(),
        },
    )


def check_method(method: str, has_truth: bool, runs: Sequence[str] = ()) -> list[str]:
    """Return the runs that a method uses, each by its absolute path.

    Raises
    ------
    InputError
        Unless there is such a method, the truth if it needs it, and such runs.
    """
    if method not in METHODS:
        raise InputError(f"method: found {method!r}, wanted one of {', '.join(METHODS)}")
    if method.startswith("oracle") and not has_truth:
        raise InputError(
            f"method: found {method} for a recording without truth, wanted a simulated one; use "
            "another method"
        )
    if method != "network":
        if runs:
            raise InputError(
                f"method: found {method} with a run of musim train, wanted network; leave one out"
            )
        return []
    from .methods.network import resolve

    return list(resolve(runs).to_json().values())


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
    method: str = "refine",
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
        _check_table(location, replace=resume or overwrite)
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


def _check_table(location: Location, *, replace: bool) -> None:
    """Raise InputError if the table would replace anything but an older table, or any at all."""
    path = table_path(location)
    if not path.exists():
        return
    ours = False
    if path.is_file():
        with path.open("rb") as file:
            ours = file.readline(1000).decode(errors="replace").strip() == ",".join(COLUMNS)
    if not ours:
        raise InputError(
            f"{path}: found something where the table of units will stand, wanted nothing; move "
            "it away or choose another place"
        )
    # Of a store that is there, too, its own check speaks.
    if not replace and not location.exists():
        raise InputError(
            f"{path}: found a table of units there, wanted none; add --overwrite to replace it, or "
            "choose another place"
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


def source_of(layout: Layout, index: int) -> tuple[Store, int]:
    """Return the store that a result's sequence comes from, and its index there.

    Raises
    ------
    InputError
        If that store is not there any more.
    """
    first = 0
    for source in json.loads(str(layout.attributes[SOURCES])):
        if index < first + source["sequences"]:
            return open_store(source["store"]), index - first
        first += source["sequences"]
    raise InputError(f"result: found no source of sequence {index}, wanted one; identify again")


def pack(units: Units, recording: Recording, layout: Layout) -> dict[str, NDArray[Any]]:
    """Return the variables of one recording's units, padded to the layout's sizes.

    Parameters
    ----------
    units : Units
    recording : Recording
    layout : Layout

    Raises
    ------
    FailureError
        If there are more units or firings than the layout has room for.
    """
    count, duration = units.count, len(recording.tvi) / recording.frame_rate
    pixels = int(np.prod(units.territory.shape[1:]))
    masks = units.masks.reshape(count, pixels)
    dz, dx = recording.pixel_size
    area = masks.sum(axis=1) * dz * dx
    weight = units.territory.reshape(count, pixels).astype(np.float64)
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    rows, columns = np.divmod(np.arange(masks.shape[1]), units.territory.shape[2])
    shared = masks & (masks.sum(axis=0) > 1)
    rates = [rate_and_variation(firing, (0.0, duration)) for firing in units.firing]
    values: dict[str, NDArray[Any]] = {
        "territory": units.territory,
        "twitch_train": units.train,
        "firing": units.firing,
        "centre_depth": weight @ ((rows + 0.5) * dz),
        "centre_width": weight @ ((columns + 0.5) * dx),
        "diameter": 2 * np.sqrt(area / np.pi),
        "overlap": shared.sum(axis=1) / np.maximum(masks.sum(axis=1), 1),
        "firing_rate": np.array([rate for rate, _ in rates], np.float64),
        "interval_variation": np.array([variation for _, variation in rates], np.float64),
        "confidence": units.confidence,
    }
    arrays: dict[str, NDArray[Any]] = {
        "unit_count": np.array(count, np.int32),
        "velocity_sd": recording.tvi.std(axis=0, dtype=np.float64).astype(np.float32),
    }
    for name, value in values.items():
        variable = layout.variable(name)
        room = tuple(layout.sizes[dim] for dim in variable.dims[1:])
        if any(have > most for have, most in zip(value.shape, room, strict=True)):
            found = " x ".join(
                f"{n} ({dim})" for n, dim in zip(value.shape, variable.dims[1:], strict=True)
            )
            most = " x ".join(str(n) for n in room)
            raise FailureError(f"{name}: found {found}, wanted no more than {most}")
        arrays[name] = np.full(room, variable.fill_value, variable.dtype)
        arrays[name][tuple(slice(n) for n in value.shape)] = value
    return arrays


COLUMNS = (
    "source",
    "source_sequence",
    "sequence",
    "unit",
    "centre_depth_mm",
    "centre_width_mm",
    "area_mm2",
    "firings",
    "firing_rate_hz",
    "interval_variation",
    "peak_velocity_mm_s",
    "confidence",
)


def table_rows(store: Store, index: int) -> list[dict[str, Any]]:
    """Return one plain row for each unit found in a sequence: see :data:`COLUMNS`."""
    dz, dx = store.layout.pixel_size
    count = int(store.read("unit_count", index))
    measures = set(VARIABLES) - {"unit_count", "velocity_sd"}
    read = {name: store.read(name, index)[:count] for name in measures}
    sources, place = json.loads(str(store.layout.attributes[SOURCES])), index
    while place >= sources[0]["sequences"]:
        place -= sources.pop(0)["sequences"]
    duration = store.layout.shape[0] / store.layout.frame_rate
    rows = []
    for unit in range(count):
        firing = read["firing"][unit]
        rows.append(
            {
                "source": sources[0]["store"],
                "source_sequence": place,
                "sequence": index,
                "unit": unit,
                "centre_depth_mm": float(read["centre_depth"][unit]),
                "centre_width_mm": float(read["centre_width"][unit]),
                "area_mm2": float((read["territory"][unit] > 0.5).sum() * dz * dx),
                "firings": int(((firing >= 0) & (firing < duration)).sum()),
                "firing_rate_hz": float(read["firing_rate"][unit]),
                "interval_variation": float(read["interval_variation"][unit]),
                "peak_velocity_mm_s": float(np.abs(read["twitch_train"][unit]).max()),
                "confidence": float(read["confidence"][unit]),
            }
        )
    return rows


def table_path(location: Location) -> Path:
    """Return where the table of a store of results stands: beside it."""
    return location.path.with_name(location.path.name.removesuffix(".zarr") + ".csv")


def _cell(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.6g}"


def write_table(store: Store, path: Path) -> None:
    """Write one row for each unit of each sequence, as CSV with the names of :data:`COLUMNS`.

    What is not known (the rate of a single firing) is empty.

    Raises
    ------
    FailureError
        If it cannot be written.
    """
    text = io.StringIO()
    table: Any = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for index in range(len(store)):
        for row in table_rows(store, index):
            table.writerow({key: _cell(value) for key, value in row.items()})
    Location(path.parent).write(path.name, text.getvalue().encode())
