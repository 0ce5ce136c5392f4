"""From a store of paired slices to one whose second pictures a trained network made."""

import dataclasses
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from ...datasets.layout import Layout
from ...datasets.location import Location
from ...datasets.origin import TranslatedSlices, to_attributes
from ...datasets.production import Input, Maker, Part, Work, WorkOptions, produce
from ...datasets.store import Store, open_slices
from ...datasets.volumes.slices import cut, padded
from ...simulator.errors import FailureError, InputError
from ..runs.folder import versions
from ..tasks import digest_of
from .applying import Translator, open_slice_run

FARTHEST = 4.0
"""By how much the range of intensities may differ from that of training, either way: a factor."""

_one_at_a_time = threading.Lock()


def plan(source: Store, run: str | Path) -> Layout:
    """Decide what the translated store will hold.

    Parameters
    ----------
    source : Store
        Of paired slices.
    run : path
        A run of ``musim train translate --paired`` on slices.

    Raises
    ------
    InputError
        If the run cannot be used, or not on such slices.
    """
    folder = str(Path(run).absolute())
    opened = _open(folder, digest_of(folder))
    _check_intensities(source, opened.translator, run)
    origin = TranslatedSlices(
        store=source.location.address,
        sequences=len(source),
        run=folder,
        checkpoint=digest_of(folder),
        settings=opened.settings,
        source=source.origin.made_by,
        software=versions(),
    )
    return dataclasses.replace(source.layout, attributes=to_attributes(origin))


def translate_slices(source: Any, run: str | Path, out: Any, **work: Unpack[WorkOptions]) -> Store:
    """Make the second picture of all slices of a store of the first, with a trained network.

    Parameters
    ----------
    source : str, path or Store
        A store of paired slices. Its own second pictures are not looked at.
    run : path
        A run of ``musim train translate --paired`` on slices.
    out : str or path
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        Of slices: ``image`` as given, ``image_b`` made; all else as in the source. Its
        :class:`origin <musim.datasets.origin.TranslatedSlices>` names source and run.

    Raises
    ------
    InputError
        If the store or the run cannot be used, or something is at `out` already. What this call
        began to write is then removed.
    FailureError
        If the result cannot be written, or is not finite.
    """
    return produce(SliceTranslation(layout=plan(open_slices(source), run)), out, Work(**work))


@dataclass(frozen=True, kw_only=True)
class SliceTranslation(Maker[int]):
    """Translates slices part by part, each by itself."""

    less: ClassVar[str] = "a store of fewer slices"

    @property
    def origin(self) -> TranslatedSlices:
        """Source and run."""
        return self.layout.origin_as(TranslatedSlices)

    @property
    def inputs(self) -> list[Input]:
        """The source's store, and the run."""
        places = {"the source": self.origin.store, "the run": self.origin.run}
        return [Input(what, Location(place)) for what, place in places.items()]

    def make(self, task: int) -> Iterator[Part]:
        """Translate the slices of a part."""
        store = open_slices(self.origin.store)
        found: dict[str, list[NDArray[Any]]] = {name: [] for name in self.layout.variables}
        for index in self.layout.sequences_of(task):
            values = {name: np.asarray(store.read(name, index)) for name in self.layout.variables}
            values["image_b"] = self._translated(values, index)
            for name, value in values.items():
                found[name].append(value)
        yield Part(task, {name: np.stack(values) for name, values in found.items()}, [])

    def _translated(self, values: dict[str, NDArray[Any]], index: int) -> NDArray[np.float32]:
        import torch

        rows, columns = (int(side) for side in values["slice_size"])
        image = cut(values["image"][0], (rows, columns))
        # Of threads that share the networks.
        with _one_at_a_time:
            opened = _open(self.origin.run, self.origin.checkpoint)
            threads = torch.get_num_threads()
            torch.set_num_threads(1)  # the other cores have slices of their own
            try:
                made = opened.translator(image)
            except InputError as error:
                raise InputError(f"{self.origin.store}: slice {index}: {error}") from error
            finally:
                torch.set_num_threads(threads)
        if not np.isfinite(made).all():
            raise FailureError(
                f"{self.origin.run}: found a translation of slice {index} that is not finite, "
                "wanted numbers; use another run"
            )
        return padded(made, values["image"].shape[1:])[None]


@dataclass(frozen=True)
class _Opened:
    translator: Translator
    settings: dict[str, Any]


def _check_intensities(source: Store, translator: Translator, run: str | Path) -> None:
    """Raise InputError if intensities have another scale than those of training."""
    low, high = translator.model.scale_a.tolist()
    least, greatest = 0.0, 0.0
    for index in range(len(source)):
        image = source.read("image", index)
        least, greatest = min(least, float(image.min())), max(greatest, float(image.max()))
    trained, found = high - low, greatest - least
    if not trained / FARTHEST <= found <= trained * FARTHEST:
        raise InputError(
            f"{source.location}: found intensities of {least:.4g} to {greatest:.4g}, wanted about "
            f"{low:.4g} to {high:.4g} as in the training of {run}; bring them to one scale"
        )


@lru_cache(maxsize=1)
def _open(run: str, digest: str) -> _Opened:
    """Return what a run has learned; kept, though its training may go on meanwhile."""
    task = open_slice_run(run)
    if digest_of(run) != digest:
        raise InputError(
            f"{run}: found another checkpoint than the one that was begun with, wanted the same; "
            "translate when its training is over"
        )
    translator = Translator(task.networks, task.settings.seed, task.canvas)
    return _Opened(translator, task.settings.to_json())
