"""From parameters to a store: parts are simulated in parallel and written as they are made."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import FailureError, InputError
from ..simulator.experiment.doses import Doses
from ..simulator.experiment.quick import Recording, check_quick, draw_recording, most_components
from ..simulator.experiment.recording import check, simulate
from ..simulator.firing import most_firings
from ..simulator.parameters import Parameters
from ..simulator.rendering import render
from ..simulator.seeds import NOISE_KEY_WORDS, check_seed
from ..simulator.sequence import Truth, draw
from ..simulator.twitch import twitch_length
from .domains import ANALYTIC, DOMAINS, EXPERIMENT, QUICK
from .layout import Layout
from .origin import Simulated, to_attributes
from .parallel import Pool
from .production import Maker, Part, Work, WorkOptions, produce
from .quick_recordings import colour_of, value_of
from .quick_recordings import render as render_quick
from .schema import DOSE, FLOAT_TYPES, SIMULATED_KINDS, default_part_size, variables_of
from .store import Store

EXPERIMENT_PART = 1
"""Its sequences take seconds each, so little is lost when one is interrupted."""

FEW_SEQUENCES = 3_000
"""So few truths are drawn by threads: processes need a second each to start."""


def plan(
    parameters: Parameters,
    *,
    sequences: int,
    seed: int = 0,
    kind: str = "dense",
    dtype: str = "float32",
    part_size: int | None = None,
    doses: Doses | None = None,
    domain: str | None = None,
) -> Layout:
    """Decide what a simulated store will hold.

    Parameters
    ----------
    parameters : Parameters
    sequences : int
        Number of sequences, 1 or more.
    seed : int
        Sequence i depends on (parameters, seed, i) alone.
    kind : {"dense", "rendered"}
        Whether voxels are stored, or only the truth, from which readers render them.
    dtype : {"float32", "float16"}
        Type of the voxels.
    part_size : int, optional
        Sequences in a part; a sound number, if not given.
    doses : Doses, optional
        Those of the virtual experiment, whose recordings are then what is stored. Without them, the
        analytic sequences are.
    domain : {"analytic", "experiment", "quick"}, optional
        ``"quick"`` makes recordings of the virtual experiment from what its scanner shows of each
        component of motion, in a hundredth of the time. Recordings have the usual doses if none are
        given; if no domain is, doses make recordings echo by echo.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If a value is out of bounds.
    """
    if not 1 <= sequences < 2**31:
        raise InputError(f"sequences: found {sequences}, wanted 1 to {2**31 - 1}")
    sequences, seed = int(sequences), check_seed(seed)
    if kind not in SIMULATED_KINDS:
        raise InputError(f"kind: found {kind!r}, wanted one of {', '.join(SIMULATED_KINDS)}")
    origin = _origin(parameters, seed, doses, domain)
    doses, quick = origin.doses, origin.quick
    if doses is not None:
        if kind != "dense" and not quick:
            raise InputError(
                f"kind: found {kind!r} for the virtual experiment, wanted dense: its voxels take "
                f"seconds to make, so they are written; or use `domain='{QUICK}'`"
            )
        (check_quick if quick else check)(parameters, doses)
    if dtype not in FLOAT_TYPES:
        raise InputError(f"dtype: found {dtype!r}, wanted one of {', '.join(FLOAT_TYPES)}")
    sizes = {
        "sequence": sequences,
        "time": parameters.frames,
        "depth": parameters.pixels[0],
        "width": parameters.pixels[1],
        "unit": int(parameters.units.high),
        "pulse": most_firings(parameters, twitch_length(parameters)),
        "word": NOISE_KEY_WORDS,
    }
    if quick and kind == "rendered" and doses is not None:
        sizes |= {"component": most_components(parameters, doses), "order": 2}
    slow = doses is not None and not quick
    usual = EXPERIMENT_PART if slow else default_part_size(kind, sizes)
    part_size = usual if part_size is None else int(part_size)
    if part_size < 1:
        raise InputError(f"part_size: found {part_size}, wanted 1 or more")
    return Layout(
        kind=kind,
        variables=tuple(
            one.name
            for one in variables_of(
                kind,
                experiment=doses is not None,
                quick=quick,
                strengths=parameters.strength_ratio.high > 1,
                variation=max(
                    parameters.amplitude_variation.high, parameters.duration_variation.high
                )
                > 0,
            )
        ),
        sizes=sizes,
        part_size=min(part_size, sequences),
        dtypes={"tvi": dtype, "territory": "uint8" if parameters.mask == "hard" else "float32"},
        frame_rate=parameters.frame_rate,
        pixel_size=parameters.pixel_size,
        attributes=to_attributes(origin),
    )


def _origin(
    parameters: Parameters, seed: int, doses: Doses | None, domain: str | None
) -> Simulated:
    """Return the origin that is asked for; recordings have the usual doses if none are given."""
    if domain is not None and domain not in DOMAINS:
        raise InputError(f"domain: found {domain!r}, wanted one of {', '.join(DOMAINS)}")
    if domain == ANALYTIC and doses is not None:
        raise InputError(
            f"domain: found {domain!r} with doses, wanted none, or one of {EXPERIMENT}, {QUICK}"
        )
    if doses is None and domain in {EXPERIMENT, QUICK}:
        doses = Doses()
    return Simulated(parameters=parameters, seed=seed, doses=doses, quick=domain == QUICK)


def generate(
    parameters: Parameters,
    out: Any,
    *,
    sequences: int = 10,
    seed: int = 0,
    kind: str = "dense",
    dtype: str = "float32",
    part_size: int | None = None,
    doses: Doses | None = None,
    domain: str | None = None,
    **work: Unpack[WorkOptions],
) -> Store:
    """Simulate sequences and store them with their truth.

    Every value is the same for any number and kind of workers, either kind of store, and any
    interruption and resumption.

    Parameters
    ----------
    parameters : Parameters
    out : str or path
        A path or an fsspec URL.
    sequences, seed, kind, dtype, part_size, doses, domain
        See :func:`plan`.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        The finished store, opened.

    Raises
    ------
    InputError
        If a value cannot be used, or something is at `out` already.
    FailureError
        If the store cannot be written, or a worker dies. What is written can be resumed.

    Examples
    --------
    >>> from musim.datasets import generate
    >>> from musim.simulator import Parameters, Range
    >>> store = generate(Parameters(units=Range(2, 2)), "memory://two.zarr", sequences=1)
    >>> store.tvi(0).shape
    (400, 64, 64)
    """
    layout = plan(
        parameters,
        sequences=sequences,
        seed=seed,
        kind=kind,
        dtype=dtype,
        part_size=part_size,
        doses=doses,
        domain=domain,
    )
    maker = Generation(layout=layout)
    # Whatever can be wrong is found before the first byte is written: a draw finds parameters that
    # no sequence can have, and motion that no scanner of theirs can follow.
    truth = maker.draw(0)
    if maker.is_quick:
        maker.recording(0, truth)
    return produce(maker, out, Work(**work))


@dataclass(frozen=True, kw_only=True)
class Generation(Maker[int]):
    """Simulates sequences: a part is a task."""

    less: ClassVar[str] = "`kind='rendered'`, fewer `sequences`"

    @property
    def origin(self) -> Simulated:
        """Parameters, seed and doses of the sequences."""
        return self.layout.origin_as(Simulated)

    @property
    def is_quick(self) -> bool:
        """Whether sequences are quick recordings."""
        return self.origin.quick

    @property
    def pool(self) -> Pool:
        """Threads where kernels and the disk have most of the work, and where processes do not pay.

        Drawing holds the interpreter for most of its time: two processes are twice as fast as two
        threads, once they have started. So are they for the virtual experiment.
        """
        if self.origin.doses is not None:
            return "processes"
        many = self.layout.sequences > FEW_SEQUENCES
        return "processes" if many and self.layout.kind == "rendered" else "threads"

    def make(self, task: int) -> Iterator[Part]:
        """Simulate one part."""
        indices = self.layout.sequences_of(task)
        truths: Iterable[Truth] = map(self.draw, indices)
        voxels: Iterable[NDArray[np.float32]] = ()
        if self.layout.kind == "dense":
            truths = list(truths)
            voxels = self._voxels(indices, truths)
        yield Part(task, self.pack(indices, truths), voxels)

    def draw(self, index: int) -> Truth:
        """Draw the truth of one sequence."""
        origin = self.origin
        return draw(origin.parameters, doses=origin.doses, seed=origin.seed, index=index)

    def recording(self, index: int, truth: Truth) -> Recording:
        """Draw the quick recording of one sequence."""
        origin = self.origin
        assert origin.doses is not None
        return draw_recording(origin.parameters, origin.doses, truth, seed=origin.seed, index=index)

    def pack(self, indices: Sequence[int], truths: Iterable[Truth]) -> dict[str, NDArray[Any]]:
        """Return the variables of some sequences as arrays, padded to the layout's sizes."""

        def record(place: int, truth: Truth) -> Recording:
            return self.recording(indices[place], truth)

        return pack(truths, self.layout, len(indices), record)

    def voxels(
        self, index: int, truth: Truth, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the voxels of a sequence: rendered, or recorded by the virtual experiment."""
        origin = self.origin
        if origin.doses is None:
            return render(truth, out=out)
        if self.is_quick:
            return render_quick(
                self.recording(index, truth), colour_of(self.layout), truth.noise_key,
                truth.noise_sd, noise=truth.noise, out=out,
            )  # fmt: skip
        return simulate(
            origin.parameters, origin.doses, truth, seed=origin.seed, index=index, out=out
        )

    def _voxels(self, indices: range, truths: list[Truth]) -> Iterator[NDArray[np.float32]]:
        buffer = np.empty(self.layout.shape, np.float32)
        for index, truth in zip(indices, truths, strict=True):
            yield self.voxels(index, truth, buffer)


def pack(
    truths: Iterable[Truth],
    layout: Layout,
    count: int,
    record: Callable[[int, Truth], Recording] | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the variables of some sequences as arrays, padded to the layout's sizes.

    Parameters
    ----------
    truths : iterable of Truth
        Asked for one after the other, so that no more than one need be in memory.
    layout : Layout
    count : int
        How many they are.
    record : callable, optional
        Makes the quick recording of a truth and its place among them, where the layout has maps
        and courses.

    Raises
    ------
    FailureError
        If a sequence has more units, firings or components than the layout has room for.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for name in layout.variables:
        if name == "tvi":
            continue
        variable = layout.variable(name)
        shape = (count, *(layout.sizes[dim] for dim in variable.dims[1:]))
        arrays[name] = np.full(shape, variable.fill_value, variable.dtype)
    recorded = {name for name in arrays if layout.variable(name).only == QUICK}
    for place, truth in zip(range(count), truths, strict=True):
        recording = record(place, truth) if recorded and record is not None else None
        for name, array in arrays.items():
            if recording is not None and name in recorded:
                value = value_of(recording, name)
            else:
                value = _value(truth, name)
            if array.ndim == 1:
                array[place] = value
                continue
            row = array[place]
            if any(map(operator.gt, value.shape, row.shape)):
                raise FailureError(
                    f"{name}: found shape {value.shape}, wanted room for it in {row.shape}"
                )
            row[tuple(map(slice, value.shape))] = value
    return arrays


def _value(truth: Truth, name: str) -> Any:
    if name.startswith(DOSE) and truth.doses is not None:
        return truth.doses[name.removeprefix(DOSE)]
    return truth.unit_count if name == "unit_count" else getattr(truth, name)
