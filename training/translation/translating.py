"""From a store of simulated sequences to a store of translated ones, with all its labels."""

import dataclasses
import hashlib
import json
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets import writer
from ...datasets.layout import PLAN, Layout
from ...datasets.location import Location
from ...datasets.production import produce
from ...datasets.store import Store, open_store
from ...simulator.errors import FailureError, InputError
from ..runs.folder import BEST, LAST, RunFolder, versions
from ..tasks import open_run
from .evaluation import TRANSLATED_FROM
from .sequences import check_frames
from .translation_task import TranslateTask

DEPENDS_ON = ("musim_parameters", "musim_seed", "musim_doses", "musim_software")
"""Attributes that say how the source's voxels can be made again: the translation's cannot."""

SAME = 1e-3
"""Relative difference up to which frame rates and pixels are those of the training."""

_one_at_a_time = threading.Lock()


def plan(source: Store, run: str | Path) -> Layout:
    """Decide what the translated store will hold.

    Parameters
    ----------
    source : Store
        Of domain A.
    run : path
        A run of ``musim train translate``.

    Raises
    ------
    InputError
        If the run cannot be used, or not on such sequences.
    """
    if source.kind == "identified":
        raise InputError(
            f"{source.location}: found units that were identified, wanted simulated or recorded "
            "sequences; translate the store that they were found in"
        )
    folder = str(Path(run).absolute())
    RunFolder(run).describe("translate")
    task, grid = _open(folder, _digest(folder))
    layout = source.layout
    found = (layout.frame_rate, *layout.pixel_size)
    wanted = (grid.frame_rate, *grid.pixel_size)
    if not np.allclose(found, wanted, rtol=SAME, atol=0):
        raise InputError(
            f"{source.location}: found {found[0]:g} Hz and pixels of {found[1]:g} x {found[2]:g} "
            f"mm, wanted {wanted[0]:g} Hz and {wanted[1]:g} x {wanted[2]:g} mm as in the training "
            f"of {run}; generate it so, or train another translator"
        )
    frames, depth, width = layout.shape
    generator = task.model.generator_a2b
    try:
        check_frames(generator, frames)
        generator.check_size((generator.least[0], depth, width)[-generator.dimensions :])
    except InputError as error:
        raise InputError(f"{source.location}: {error}") from error
    origin = {
        "store": source.location.address,
        "sequences": len(source),
        "run": folder,
        "checkpoint": _digest(folder),
        "settings": task.settings.to_json(),
        "parameters": json.loads(str(layout.attributes.get("musim_parameters", "null"))),
        "seed": layout.attributes.get("musim_seed"),
    }
    kept = {key: value for key, value in layout.attributes.items() if key not in DEPENDS_ON}
    return dataclasses.replace(
        layout,
        kind="dense",
        variables=("tvi", *_labels(layout)),
        part_size=1,
        attributes={
            **kept,
            TRANSLATED_FROM: json.dumps(origin, sort_keys=True),
            "musim_software": json.dumps(versions(), sort_keys=True),
        },
    )


def translate_store(
    source: Any,
    run: str | Path,
    out: Any,
    *,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Store:
    """Translate all sequences of a store; labels, if it has any, go with them.

    Parameters
    ----------
    source : str or path
        A store of domain A, of the frame rate and pixels that the run was trained with. Sequences
        of any length, and images of other sizes, are translated too.
    run : path
        A run of ``musim train translate``.
    out : str or path
    workers, resume, overwrite, on_progress
        See :func:`musim.datasets.production.produce`.

    Returns
    -------
    Store
        Dense; its attribute ``musim_translated_from`` names source and run.

    Raises
    ------
    InputError
        If the store or the run cannot be used, or something is at `out` already. What this call
        began to write is then removed.
    FailureError
        If the result cannot be written, or is not finite.
    """
    store = open_store(source)
    location = Location(out)
    _check_place(location, store, run)
    layout = plan(store, run)
    if resume:
        _check_same_origin(location, layout)
    return produce(
        location,
        layout,
        make_part,
        workers=workers,
        pool="processes" if store.location.is_shared else "threads",
        resume=resume,
        overwrite=overwrite,
        on_progress=on_progress,
    )


def make_part(url: str, layout: Layout, part: int) -> None:
    """Translate one sequence and write it; runs wherever dask puts it."""
    import torch

    origin = _origin(layout)
    store = open_store(origin["store"])
    before = store.tvi(part).astype(np.float32, copy=False)
    if not np.isfinite(before.sum(dtype=np.float64)):
        raise InputError(
            f"{store.location}: found values that are not finite in sequence {part}, wanted "
            "numbers; leave it out"
        )
    # Of threads that share the networks: each sequence sets the statistics of their normalisations.
    with _one_at_a_time:
        task, _ = _open(origin["run"], origin["checkpoint"])
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # the other cores have sequences of their own
        try:
            after = task.translate(before, part)
        finally:
            torch.set_num_threads(threads)
    with np.errstate(over="ignore"):  # beyond float16
        finite = np.isfinite(after.astype(layout.dtype)).all()
    if not finite:
        raise FailureError(
            f"{origin['run']}: found a translation of sequence {part} that is not finite, wanted "
            "numbers; use another run"
        )
    arrays = {name: np.asarray(store.read(name, part))[None] for name in _labels(layout)}
    writer.write_part(Location(url), layout, part, arrays, [after])


def _labels(layout: Layout) -> list[str]:
    return [name for name in layout.variables if name != "tvi"]


def _origin(layout: Layout) -> dict[str, Any]:
    return json.loads(str(layout.attributes[TRANSLATED_FROM]))


def _check_place(location: Location, store: Store, run: str | Path) -> None:
    """Raise InputError if the result would lie in the source or in the run, or hold one of them."""
    found = [("the source", store.location), ("the run", Location(run))]
    if location.address == store.location.address:
        raise InputError(f"{location}: found the source at this place, wanted another; choose one")
    if not location.is_local:
        return
    place = location.path.resolve()
    for name, other in found:
        if not other.is_local:
            continue
        held = other.path.resolve()
        if place == held or held in place.parents or place in held.parents:
            raise InputError(
                f"{location}: found {name} at this place ({other}), wanted another; choose one "
                "that neither is nor holds it"
            )


def _check_same_origin(location: Location, layout: Layout) -> None:
    """Raise InputError if what is to be resumed is the translation of something else."""
    if not location.exists(PLAN):
        return
    text = writer.read_plan(location).attributes.get(TRANSLATED_FROM)
    if text is None:
        raise InputError(
            f"{location}: found a store there that is no translation, wanted the one that was "
            "begun; choose another place, or use --overwrite"
        )
    found, wanted = json.loads(str(text)), _origin(layout)
    other = [key for key in wanted if found.get(key) != wanted[key]]
    if other:
        # All else is the store's own: it was made anew at its place.
        what = next((key for key in ("store", "run", "checkpoint") if key in other), "store")
        raise InputError(
            f"{location}: found the translation of another {what} begun there, wanted the same to "
            "resume; repeat its options, or use --overwrite"
        )


def _checkpoint(run: str) -> Path:
    """Return the checkpoint that :func:`..tasks.open_run` takes."""
    best = Path(run) / BEST
    return best if best.exists() else Path(run) / LAST


def _digest(run: str) -> str:
    """Return the SHA-256 of a run's checkpoint, in hexadecimal."""
    file = _checkpoint(run)
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        RunFolder(run).load(file.name)  # which says what is wrong
        raise


@lru_cache(maxsize=1)
def _open(run: str, digest: str) -> tuple[TranslateTask, Any]:
    """Return the task of a run, and its grid; kept, though its training may go on meanwhile."""
    task, grid = open_run(run, TranslateTask)
    if _digest(run) != digest:
        raise InputError(
            f"{run}: found another checkpoint than the one that was begun with, wanted the same; "
            "translate when its training is over"
        )
    return task, grid
