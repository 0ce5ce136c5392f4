"""Proving a store whole: every byte against its checksum, every variable against the schema."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import FailureError, InputError, MusimError
from .generation import Generation
from .layout import COMMENT, Layout
from .location import checksum
from .origin import Drawn, Origin, check_revision
from .schema import chunks_of
from .sealing import is_sealed
from .sections import SectionGeneration
from .store import Store, open_store
from .store_files import MANIFEST, PLAN, ROOT
from .videos.generation import TrialGeneration
from .volumes.hands import HandScanning
from .writer import manifest_key

MOST_SHOWN = 3

Remade = Callable[[Store, int], Mapping[str, NDArray[Any]]]
"""Makes the variables of a sequence again, (1, ...) each."""


def verify(
    url: Any,
    *,
    remake: int = 0,
    also: Mapping[type[Origin], Remade] | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Store:
    """Check a store: all its files, its schema, and on demand that it can be made again.

    Parameters
    ----------
    url : str or path
        A path or an fsspec URL.
    remake : int
        How many sequences, spread evenly, to make again from the store's parameters and seed and to
        compare bit for bit.
    also : mapping of origins to functions, optional
        How sequences of these origins are made again, besides those that are drawn.
    on_progress : callable
        Called with the numbers of parts checked and in all.

    Returns
    -------
    Store
        The store, which is whole.

    Raises
    ------
    InputError
        If there is no store, it is unfinished or of an unknown version, or it is to be made again
        and was not simulated, or by another revision of the imaging chain.
    FailureError
        If anything is missing, altered or different; the text names it.
    """
    store = open_store(url)
    made_by = (also or {}).get(type(store.origin))
    if remake > 0 and made_by is None and not isinstance(store.origin, Drawn):
        raise InputError(
            f"{store.location}: found {store.origin.made_by}, wanted sequences that were simulated "
            f"and are drawn again from parameters and seed; {store.origin.advice} and compare, or "
            "verify without `remake`"
        )
    if isinstance(store.origin, Drawn) and remake > 0:
        check_revision(store.origin, str(store.location))
    problems = _metadata_problems(store) or _schema_problems(store)
    # Where the plan is not to be trusted, neither is what it says of the parts.
    for part in range(0 if problems else store.layout.parts):
        if len(problems) > MOST_SHOWN:
            break
        problems += _part_problems(store, part)
        on_progress(part + 1, store.layout.parts)
    if not problems and remake > 0:
        problems += _remake_problems(store, remake, made_by)
    if problems:
        shown = "; ".join(problems[:MOST_SHOWN])
        more = " and more" if len(problems) > MOST_SHOWN else ""
        raise FailureError(
            f"{store.location}: found damage ({shown}{more}), wanted a whole store; "
            f"{store.origin.advice}, or copy it again from where it came"
        )
    return store


def _check_file(store: Store, key: str, size: int, wanted: int) -> list[str]:
    try:
        content = store.location.read(key)
    except FileNotFoundError:
        return [f"{key} is missing"]
    except MusimError as error:
        return [str(error)]
    if len(content) != size:
        return [f"{key} has {len(content)} bytes instead of {size}"]
    return [] if checksum(content) == wanted else [f"{key} is altered"]


def _metadata_problems(store: Store) -> list[str]:
    try:
        manifest_bytes = store.location.read(MANIFEST)
        if not is_sealed(store.location):
            return [f"{ROOT} or {MANIFEST} is altered"]
        manifest = json.loads(manifest_bytes)
    except FileNotFoundError as error:
        return [f"{error} is missing"]
    problems = []
    for key, (size, wanted) in sorted((manifest["files"] | manifest["parts"]).items()):
        problems += _check_file(store, key, size, wanted)
    return problems


def _schema_problems(store: Store) -> list[str]:
    """Compare the arrays' metadata, as a reader sees them, with the schema."""
    layout = store.layout
    root = json.loads(store.location.read(ROOT))
    metadata = root["consolidated_metadata"]["metadata"]
    problems = []
    wanted_attributes = json.loads(layout.metadata()[ROOT])["attributes"]
    # More may have been added since, such as the voxels' mean and spread; comments are for people.
    wanted_attributes.pop(COMMENT, None)
    if not wanted_attributes.items() <= root["attributes"].items():
        problems.append(f"the attributes in {ROOT} are not those of {PLAN}")
    for name in (*layout.variables, *layout.coordinate_names):
        variable = layout.variable(name)
        wanted = {
            "shape": [layout.sizes[dim] for dim in variable.dims],
            "data_type": variable.dtype,
            "dimension_names": list(variable.dims),
        }
        found = {key: metadata.get(name, {}).get(key) for key in wanted}
        chunks = metadata.get(name, {}).get("chunk_grid", {}).get("configuration", {})
        if found != wanted or chunks.get("chunk_shape") != list(
            chunks_of(variable, layout.sizes, layout.part_size)
        ):
            problems.append(f"{name} does not follow the schema")
    return problems


def _part_problems(store: Store, part: int) -> list[str]:
    try:
        files = json.loads(store.location.read(manifest_key(part)))["files"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return [f"part {part} has no sound manifest"]
    problems = []
    for key in _expected_keys(store.layout, part):
        if key not in files:
            problems.append(f"part {part}: {key} is not in its manifest")
            continue
        problems += [f"part {part}: {text}" for text in _check_file(store, key, *files[key])]
    return problems


def _expected_keys(layout: Layout, part: int) -> list[str]:
    return [key for name in layout.variables for key in layout.chunk_keys(name, part)]


def _remake_problems(store: Store, count: int, made_by: Remade | None) -> list[str]:
    indices = np.unique(np.linspace(0, len(store) - 1, min(count, len(store))).astype(int))
    if made_by is not None:
        return [
            problem
            for index in indices.tolist()
            for problem in _differences(store, index, made_by(store, index), "units and edits")
        ]
    if store.is_section:
        images = SectionGeneration(layout=store.layout)
        return [
            problem
            for index in indices.tolist()
            for problem in _differences(store, index, images.pack([images.draw(index)]))
        ]
    if store.is_slices:
        hands = HandScanning(layout=store.layout)
        return [
            problem
            for index in indices.tolist()
            for problem in _differences(store, index, hands.pack(index))
        ]
    if store.is_video:
        trials = TrialGeneration(layout=store.layout)
        return [
            problem
            for index in indices.tolist()
            for problem in _video_problems(store, trials, index)
        ]
    problems, maker = [], Generation(layout=store.layout)
    for index in indices.tolist():
        truth = maker.draw(index)
        problems += _differences(store, index, maker.pack([index], [truth]))
        if not problems and store.kind == "dense":
            voxels = maker.voxels(index, truth).astype(store.layout.dtype, copy=False)
            if not np.array_equal(voxels, store.tvi(index)):
                problems.append(f"sequence {index}: tvi is not what its truth gives")
    return problems


def _video_problems(store: Store, maker: TrialGeneration, index: int) -> list[str]:
    """Return the first of a trial's variables, if any, that is not what its parameters give."""
    made = {name: values[None] for name, values in maker.draw(index).items()}
    problems = _differences(store, index, made)
    if problems or store.layout.is_rendered:
        return problems
    first = 0
    for frames in maker.frames(index):
        stored = store.bmode(index, time=slice(first, first + len(frames)))
        if not np.array_equal(frames, stored):
            return [f"sequence {index}: bmode is not what its parameters give"]
        first += len(frames)
    return []


def _differences(
    store: Store, index: int, made: Mapping[str, NDArray[Any]], what: str = "parameters"
) -> list[str]:
    """Return the first variable of a sequence, if any, that is not what was made again."""
    for name, values in made.items():
        stored = store.read(name, index)
        if not np.array_equal(values[0], stored, equal_nan=values.dtype.kind == "f"):
            return [f"sequence {index}: {name} is not what its {what} give"]
    return []
