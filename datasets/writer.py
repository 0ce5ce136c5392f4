"""Writing a store: survey and begin, write part i (in any order, anywhere), finalise.

A store has no root metadata until it is whole, so nothing half-made can be opened. Each part ends
with a manifest of its files; a part without one is made again. Whoever reads a part's manifest
knows that every file named in it was written before.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..simulator.errors import FailureError, InputError, MusimError
from .chunks import write_coordinates, write_frames, write_truth, write_voxels
from .layout import Layout
from .location import PARTIAL, Batch, Location, checksums
from .locking import LOCK
from .origin import settings_of
from .sealing import seal
from .store_files import MANIFEST, MARK, PARTS, PLAN, ROOT, SEAL

REVISED = "attributes.revision"
"""Where a plan says which revision of the imaging chain makes its values."""

MOST_SHOWN = 5
"""Settings that differ are listed up to this many."""


def manifest_key(part: int) -> str:
    """Return the key of a part's manifest."""
    return f"{PARTS}/{part:06d}.json"


def survey(location: Location, layout: Layout, *, resume: bool, overwrite: bool) -> list[int]:
    """Look at a location, changing nothing; return the parts that are still to be written.

    Parameters
    ----------
    location : Location
    layout : Layout
    resume : bool
        Whether to go on with what an earlier run of the same layout left.
    overwrite : bool
        Whether a musim store that is there will be replaced. Anything else never is.

    Raises
    ------
    InputError
        If something is there and neither was asked for, or it is not this store.
    """
    everything = list(range(layout.parts))
    if not _holds_anything(location):
        return everything
    if not location.exists(MARK):
        raise InputError(
            f"{location}: found something that is not a musim store, wanted a new or empty location"
        )
    if overwrite:
        return everything
    if not resume:
        state = "a store" if location.exists(ROOT) else "an unfinished store"
        raise InputError(
            f"{location}: found {state} there, wanted a new location; add `resume=True` to "
            "continue it, `overwrite=True` to replace it, or choose another"
        )
    if not location.exists(PLAN):
        return everything
    _check_same_plan(location, layout)
    if location.exists(ROOT):
        return []
    done = finished_parts(location)
    return [part for part in everything if part not in done]


def begin(location: Location, layout: Layout, *, overwrite: bool) -> None:
    """Prepare a surveyed location: remove what is to be replaced, write plan and metadata.

    Raises
    ------
    InputError
        If the location cannot be written.
    """
    if overwrite and _holds_anything(location):
        location.remove(first=ROOT, last=MARK)
    _remove_leftovers(location)
    if not location.exists(PLAN):
        # The folder .musim marks the place as ours from the first file on; the plan comes last, so
        # that where there is one, all metadata are there.
        location.write(MARK, b"")
        for key, document in layout.metadata().items():
            if key != ROOT:
                location.write(key, document)
        location.write_json(PLAN, layout.to_json())


def _holds_anything(location: Location) -> bool:
    if not location.is_local:
        return location.exists()
    try:
        if not location.path.is_dir():
            return location.exists()
        # Killed while it wrote the mark, a run leaves a folder that holds nothing of anybody's.
        ours = location.path / Path(MARK).parent
        return any(
            not path.is_dir()
            and (path.parent != ours or path.suffix != PARTIAL)
            and path != location.path / LOCK
            for path in location.path.rglob("*")
        )
    except OSError as error:
        raise location.failure("be read", error) from error


def _check_same_plan(location: Location, layout: Layout) -> None:
    # Through JSON and back, so that tuples and lists are alike.
    found, wanted = (
        json.loads(json.dumps(plan.to_json())) for plan in (read_plan(location), layout)
    )
    for values in (found, wanted):
        values["attributes"] = settings_of(values["attributes"])
    kinds = [values["attributes"].get("origin") for values in (found, wanted)]
    if kinds[0] != kinds[1]:
        raise InputError(
            f"{location}: found a store of {kinds[0]} sequences there, wanted the {kinds[1]} ones "
            "that were begun; choose another place, or use `overwrite=True`"
        )
    if found != wanted:
        flat_found, flat_wanted = _flatten(found), _flatten(wanted)
        keys = [
            key
            for key in sorted(flat_found | flat_wanted)
            if flat_found.get(key) != flat_wanted.get(key)
        ]
        if keys == [REVISED]:
            raise InputError(
                f"{location}: found a store there by revision {flat_found[REVISED]} of what makes "
                f"it, wanted revision {flat_wanted[REVISED]}, which gives other values; use "
                "`overwrite=True`, or go on with the musim that began them"
            )
        last = Counter(key.rpartition(".")[2] for key in keys)
        shown = "; ".join(
            f"{key if last[name] > 1 else name}: {flat_found.get(key)} there, "
            f"{flat_wanted.get(key)} asked"
            for key, name in ((key, key.rpartition(".")[2]) for key in keys[:MOST_SHOWN])
        )
        more = "" if len(keys) <= MOST_SHOWN else f"; and {len(keys) - MOST_SHOWN} more"
        raise InputError(
            f"{location}: found a store with other settings ({shown}{more}), wanted the same to "
            "resume; repeat its options, or use `overwrite=True`"
        )


def check_still_ours(location: Location, layout: Layout) -> None:
    """Raise FailureError if another store was begun here meanwhile: object stores have no locks."""
    if location.is_local:
        return
    try:
        same = read_plan(location).to_json() == layout.to_json()
    except FailureError:  # it is gone, too
        same = False
    if not same:
        raise FailureError(
            f"{location}: found that another process began another store there, wanted one writer "
            "at a time; choose another place for one of them"
        )


def _flatten(values: Any, path: str = "") -> dict[str, str]:
    """Return nested settings as one level of texts, by their paths."""
    if isinstance(values, list) and any(isinstance(value, Mapping) for value in values):
        values = dict(enumerate(values))
    if not isinstance(values, Mapping):
        return {path: str(values)}
    flat: dict[str, str] = {}
    for key, value in values.items():
        flat |= _flatten(value, f"{path}.{key}" if path else str(key))
    return flat


def _remove_leftovers(location: Location) -> None:
    """Remove the files that a killed run was writing aside."""
    if location.is_local:
        for path in location.path.rglob(f"*{PARTIAL}"):
            path.unlink(missing_ok=True)


def read_plan(location: Location) -> Layout:
    """Return the layout that an unfinished or finished store was begun with.

    Raises
    ------
    FailureError
        If it is damaged.
    """
    try:
        return Layout.from_json(json.loads(location.read(PLAN)))
    except MusimError:
        raise
    except Exception as error:  # damage can take any form
        raise FailureError(f"{location}: {PLAN} is damaged; remove the store") from error


def finished_parts(location: Location) -> set[int]:
    """Return the parts whose manifests are there."""
    names = location.list_files(PARTS)
    return {int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit()}


def write_part(
    location: Location,
    layout: Layout,
    part: int,
    arrays: Mapping[str, NDArray[Any]],
    voxels: Iterable[Any] = (),
) -> None:
    """Write one part: all its files, then the manifest that makes it count.

    Parameters
    ----------
    location : Location
    layout : Layout
    part : int
    arrays : mapping of variable name to array
        Every variable but ``tvi``, or ``bmode`` of videos, sequences of this part first.
    voxels : iterable
        What these hold, see :class:`.production.Part`.

    Raises
    ------
    FailureError
        If the location cannot be written, or an array does not fit.
    """
    indices = layout.sequences_of(part)
    with closing(Batch(location)) as batch:
        batch.in_a_thread(write_truth, batch, layout, part, arrays)
        if "tvi" in layout.variables:
            for index, sequence in zip(indices, voxels, strict=True):
                write_voxels(batch, layout, index, sequence)
        elif "bmode" in layout.variables and layout.is_cut_in_time("bmode"):
            for index, blocks in zip(indices, voxels, strict=True):
                batch.in_a_thread(write_frames, batch, layout, index, blocks)
        batch.settle()
        location.write_json(manifest_key(part), {"files": batch.files})


def finalise(location: Location, layout: Layout) -> None:
    """Make a store whole: coordinates, manifest, seal and, last of all, the root metadata.

    Raises
    ------
    FailureError
        If a part is missing.
    """
    check_still_ours(location, layout)
    missing = sorted(set(range(layout.parts)) - finished_parts(location))
    if missing:
        raise FailureError(
            f"{location}: found {layout.parts - len(missing)} of {layout.parts} parts, wanted all; "
            "run again with `resume=True`"
        )
    # A worker that was killed, and whose part another one made, left what it was writing.
    _remove_leftovers(location)
    with closing(Batch(location)) as batch:
        batch.in_a_thread(write_coordinates, batch, layout)
        batch.settle()
        files = batch.files
    documents = layout.metadata()
    names = (*layout.variables, *layout.coordinate_names)
    files |= checksums(location, [MARK, PLAN, *(f"{name}/zarr.json" for name in names)])
    parts = checksums(location, [manifest_key(part) for part in range(layout.parts)])
    manifest = location.write_json(MANIFEST, {"files": files, "parts": parts})
    location.write(SEAL, seal(documents[ROOT], manifest))
    location.write(ROOT, documents[ROOT])
