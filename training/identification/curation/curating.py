"""From units and changes to a store of curated units."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from ....datasets.layout import Layout
from ....datasets.location import Location
from ....datasets.origin import Curated, Identified, Searched, to_attributes
from ....datasets.origins.attributes import software_versions
from ....datasets.production import Input, Maker, Part, Work, WorkOptions, produce
from ....datasets.store import Store, open_sequences, token_of
from ....simulator.errors import InputError
from ..remarks import REMARKS
from ..results import naming
from ..stored import VARIABLES, optional, pack
from ..unit_table import check_table, table_path, write_table
from .draft import read_edits
from .edits import Edit, edits_of
from .finishing import finished
from .working import Bench, check_same


def open_units(units: Any) -> Store:
    """Open a store of units that can be curated.

    Raises
    ------
    InputError
        If it is none.
    """
    store = open_sequences(units)
    if not isinstance(store.origin, Identified):
        raise InputError(
            f"{store.location}: found {store.origin.made_by}, wanted units that were found; run "
            f"musim identify {store.location} and curate what it writes"
        )
    return store


def searched_in(store: Store, recordings: Sequence[Any]) -> tuple[Searched, ...]:
    """Return where the recordings of units are, as far as it is said anew.

    Parameters
    ----------
    store : Store
        Of the units found.
    recordings : sequence of str, path or Store
        Stores that have moved since, in the order in which units were looked for; none, if they are
        where they were.

    Raises
    ------
    InputError
        If they are not there, or others than units were looked for in.
    """
    named = store.layout.origin_as(Identified).searched
    stores = [open_sequences(one) for one in recordings or [one.store for one in named]]
    if [len(one) for one in stores] != [one.sequences for one in named]:
        found = ", ".join(f"{one.location} ({len(one)} sequences)" for one in stores)
        wanted = ", ".join(f"{one.store} ({one.sequences})" for one in named)
        raise InputError(
            f"{store.location}: found `recordings` {found}, wanted those in place of {wanted}"
        )
    first = 0
    for one in stores:
        check_same(store, first, one, 0)
        first += len(one)
    return tuple(Searched(one.location.address, len(one)) for one in stores)


def plan(
    store: Store,
    edits: Sequence[Edit],
    *,
    only_accepted: bool = False,
    recordings: Sequence[Any] = (),
) -> Layout:
    """Decide what a store of curated units will hold.

    Parameters
    ----------
    store : Store
        Of the units found.
    edits : sequence of Edit
    only_accepted : bool
    recordings : sequence of str, path or Store
        See :func:`searched_in`.

    Raises
    ------
    InputError
        If a recording is not there any more, or a change is of a sequence that there is not.
    """
    for number, edit in enumerate(edits):
        if edit.sequence >= len(store):
            raise InputError(
                f"edit {number} ({edit.name}): found sequence {edit.sequence}, wanted 0 to "
                f"{len(store) - 1} of {store.location}"
            )
    found = store.layout.origin_as(Identified)
    before = found if isinstance(found, Curated) else None
    kept = {one.name: getattr(found, one.name) for one in dataclasses.fields(Identified)}
    searched = searched_in(store, recordings)
    kept |= {"searched": searched, "remarks": tuple(REMARKS), "software": software_versions()}
    origin = Curated(
        **kept,
        units=store.location.address,
        seal=token_of(store.location),
        recorded=tuple(token_of(open_sequences(one.store).location) for one in searched),
        edits=tuple(edit.to_json() for edit in edits),
        earlier=() if before is None else (*before.earlier, *before.edits),
        only_accepted=only_accepted,
    )
    return dataclasses.replace(
        store.layout, variables=(*VARIABLES, "by_hand"), attributes=to_attributes(origin)
    )


def curate_store(
    units: Any,
    out: Any,
    edits: Sequence[Edit] | str | Path,
    *,
    by: str = "",
    only_accepted: bool = False,
    recordings: Sequence[Any] = (),
    **work: Unpack[WorkOptions],
) -> Store:
    """Make a store of the units of another one, as people changed them.

    Parameters
    ----------
    units : Store, str or path
        Units that were found, or curated already. Their recordings are read again.
    out : str or path
        Where the store is written. Local, ``NAME.zarr`` gets ``NAME.csv`` beside it.
    edits : sequence of Edit, or path of a file
        See :mod:`.edits` and :func:`.draft.read_edits`.
    by : str
        Who made changes of a file that do not say.
    only_accepted : bool
        Whether units that nobody judged are left out; they are kept otherwise.
    recordings : sequence of str, path or Store
        Where the recordings are, if they have moved since units were looked for in them.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        Identified units as any others, whose origin tells who changed what.

    Raises
    ------
    InputError
        If a store or a change cannot be used. What this call began to write is then removed.
    FailureError
        If the result cannot be written.
    """
    store = open_units(units)
    if isinstance(edits, str | Path):
        read, position = read_edits(edits, store, by=by)
        edits = read[:position]
    layout = plan(store, edits, only_accepted=only_accepted, recordings=recordings)
    maker = Curation(layout=layout)
    location = out if isinstance(out, Location) else Location(out)
    how = Work(**work)
    if location.is_local:
        check_table(location, replace=how.resume or how.overwrite)
    made = produce(maker, location, how)
    if location.is_local:
        write_table(made, table_path(location))
    return made


@dataclass(frozen=True, kw_only=True)
class Curation(Maker[int]):
    """Makes units of others and the changes to them: each sequence is a part, and a task.

    Parameters
    ----------
    layout : Layout
    """

    less: ClassVar[str] = "units of fewer sequences"

    @property
    def inputs(self) -> list[Input]:
        """The units' store, and those of the recordings."""
        origin = self.layout.origin_as(Curated)
        recordings = [Input("the recording", Location(one.store)) for one in origin.searched]
        return [Input("the units", Location(origin.units)), *recordings]

    def read_through(self) -> None:
        """Raise InputError if a change cannot be made."""
        for part in range(self.layout.parts):
            self.arrays(part)

    def make(self, task: int) -> Iterator[Part]:
        """Make the changes of one sequence."""
        yield Part(task, {name: values[None] for name, values in self.arrays(task).items()})

    def arrays(self, index: int) -> Mapping[str, NDArray[Any]]:
        """Return the variables of one sequence.

        Raises
        ------
        InputError
            If the units or the recording are not there any more, or a change cannot be made.
        """
        from threadpoolctl import threadpool_limits

        origin = self.layout.origin_as(Curated)
        store = open_units(origin.units)
        if token_of(store.location) != origin.seal:
            raise InputError(
                f"{store.location}: found other units than were curated, wanted the same; curate "
                "them anew"
            )
        edits = edits_of(list(origin.edits), "edits")
        if self._is_as_found(store, edits, index):
            return self._copied(store, index)
        with naming(store, index), threadpool_limits(1):
            bench = Bench(store, index, origin)
            done = finished(bench, bench.after(edits), only_accepted=origin.only_accepted)
            packed = pack(done.units, bench.recording, self.layout)
        by_hand = np.zeros(self.layout.sizes["unit"], np.uint8)
        by_hand[: len(done.by_hand)] = done.by_hand
        return {**packed, "by_hand": by_hand}

    def _is_as_found(self, store: Store, edits: Sequence[Edit], index: int) -> bool:
        """Return whether nothing of a sequence is changed, so that no recording has to be read.

        Stores of earlier versions lack variables, which are made.
        """
        if self.layout.origin_as(Curated).only_accepted:
            return False
        touched = any(edit.sequence == index for edit in edits)
        return not touched and set(VARIABLES) <= set(store.layout.variables)

    def _copied(self, store: Store, index: int) -> Mapping[str, NDArray[Any]]:
        values = {name: store.read(name, index) for name in VARIABLES}
        by_hand = optional(store, "by_hand", index)
        nobody = np.zeros(self.layout.sizes["unit"], np.uint8)
        return {**values, "by_hand": nobody if by_hand is None else by_hand}
