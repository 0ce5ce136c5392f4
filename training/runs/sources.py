"""Where a run's sequences come from: a store, or new ones without end."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import torch

from ...datasets.grid import Grid
from ...datasets.labels import open_with_labels
from ...datasets.location import Location
from ...datasets.splits import split
from ...datasets.store import Store
from ...datasets.streaming import EndlessLoader, SequenceLoader
from ...simulator.errors import InputError
from ...simulator.experiment.doses import Doses
from ...simulator.experiment.quick import check_quick
from ...simulator.parameters import Parameters
from ...simulator.ranges import Range

Batch = dict[str, torch.Tensor]

VALIDATION_SEED = 2**40
"""Added to the seed of endless sequences that validate: no training sequence is among them."""


@dataclass(frozen=True)
class Source:
    """Sequences to train on: exactly one of a store and the parameters of endless ones.

    Parameters
    ----------
    store : str
        A store's path or URL, of simulated sequences or of curated units, whose recordings are
        taken then; empty for endless sequences.
    parameters : Parameters, optional
        Of endless sequences.
    doses : Doses, optional
        Of endless quick recordings of the virtual experiment; analytic sequences, if not given.
    """

    store: str = ""
    parameters: Parameters | None = None
    doses: Doses | None = None

    def __post_init__(self) -> None:
        """Check that it is one of both."""
        if bool(self.store) == (self.parameters is not None):
            raise InputError("source: found both or neither of a store and parameters, wanted one")
        if self.parameters is None and self.doses is not None:
            raise InputError("source: found doses with a store, which has its own; wanted none")
        if self.parameters is not None and self.doses is not None:
            check_quick(self.parameters, self.doses)

    @classmethod
    def of(cls, given: Any) -> "Source":
        """Return a source of sequences, perhaps from a store, its place, or parameters alone."""
        if isinstance(given, cls):
            return given
        if isinstance(given, Parameters):
            return cls(parameters=given)
        return cls(store=given.location.address if isinstance(given, Store) else str(given))

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        plain = None if self.parameters is None else self.parameters.to_json()
        # A run is resumed from whatever folder.
        store = Location(self.store).address if self.store else ""
        doses = {} if self.doses is None else {"doses": self.doses.to_json()}
        return {"store": store, "parameters": plain, **doses}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Source":
        """Read what :meth:`to_json` made."""
        parameters, doses = plain["parameters"], plain.get("doses")
        return cls(
            plain["store"],
            None if parameters is None else Parameters.from_json(parameters),
            None if doses is None else Doses.from_json(doses),
        )

    def check_ready(self, ranks: int = 1) -> None:
        """Make sure that there is something to train on and something else to validate on.

        Parameters
        ----------
        ranks : int
            Processes that share the training sequences.

        Raises
        ------
        InputError
            If the store is not there, cannot be used, or has too few sequences.
        """
        if self.store:
            for share, count in (("train", ranks), ("validation", 1)):
                self.loader(share, batch_size=1, ranks=count)

    def open(self) -> Store | None:
        """Return the store, opened; None for endless sequences."""
        return open_with_labels(self.store) if self.store else None

    def open_with_truth(self) -> Store | None:
        """Return the store, opened, as :meth:`open`; raise InputError if it has no truth."""
        store = self.open()
        if store is not None and not store.has_truth:
            raise InputError(
                f"source: found no units in {store.location}, wanted a store with truth; simulate "
                "one with musim generate, or curate the units of recordings with musim curate"
            )
        return store

    @property
    def grid(self) -> Grid:
        """Frames, image, frame rate and pixel of a sequence."""
        if self.parameters is None:
            return open_with_labels(self.store).layout.grid
        chosen = self.parameters
        return Grid((chosen.frames, *chosen.pixels), chosen.frame_rate, chosen.pixel_size)

    def batches(
        self,
        step: int,
        *,
        batch_size: int,
        seed: int,
        snr: str = "",
        flips: tuple[str, ...] = (),
        rank: int = 0,
        ranks: int = 1,
        device: torch.device | None = None,
    ) -> Iterator[Batch]:
        """Yield batches from step number `step` on, for ever.

        Parameters
        ----------
        step : int
            Batch j is the same whichever step is begun with.
        batch_size : int
            Of this process.
        seed : int
        snr : str
            dB or range of dB of noise drawn anew; empty leaves it as it is stored or drawn.
        flips : tuple of {"depth", "width"}
            Of stored sequences; endless ones need none, every one is new.
        rank, ranks : int
        device : torch.device, optional
            Where voxels that are not written are rendered; on a CPU kernels do it.

        Yields
        ------
        dict of tensors
            As :func:`musim.datasets.streaming.collate_sequences` makes them.
        """
        on_device = None if device is None or device.type == "cpu" else device
        shared: dict[str, Any] = {"batch_size": batch_size, "rank": rank, "ranks": ranks}
        if self.parameters is not None:
            chosen = replace(self.parameters, snr=_range(snr)) if snr else self.parameters
            endless = EndlessLoader(chosen, doses=self.doses, seed=seed, device=on_device, **shared)
            endless.load_state_dict({"batch": step})
            with closing(iter(endless)) as made:  # type: ignore[type-var]
                yield from made
            return
        loader = self.loader(
            "train", seed=seed, snr=snr or None, flips=flips, device=on_device, **shared
        )
        epoch, batch = divmod(step, len(loader))
        loader.load_state_dict({**loader.state_dict(), "epoch": epoch, "batch": batch})
        while True:
            yield from loader

    def validation(
        self, batches: int, *, batch_size: int, seed: int, snr: str = "",
        device: torch.device | None = None,
    ) -> Iterator[Batch]:  # fmt: skip
        """Yield up to `batches` batches that training never sees, always the same.

        Parameters are those of :meth:`batches`.
        """
        on_device = None if device is None or device.type == "cpu" else device
        if self.parameters is not None:
            # Each sequence shows another subject: the more of them, the more it says.
            chosen = replace(self.parameters, trials=1)
            chosen = replace(chosen, snr=_range(snr)) if snr else chosen
            endless = EndlessLoader(
                chosen, doses=self.doses, batch_size=batch_size, seed=seed + VALIDATION_SEED,
                device=on_device,
            )  # fmt: skip
            with closing(iter(endless)) as made:  # type: ignore[type-var]
                yield from itertools.islice(made, batches)
            return
        loader = self.loader(
            "validation", seed=seed, snr=snr or None, shuffle=False, batch_size=batch_size,
            device=on_device,
        )  # fmt: skip
        with closing(iter(loader)) as made:  # type: ignore[type-var]
            yield from itertools.islice(made, batches)

    def loader(
        self, share: str, *, batch_size: int, device: Any = None, **options: Any
    ) -> SequenceLoader:
        """Return a loader of a split of the store, with batches no larger than the split.

        Raises
        ------
        InputError
            If the split has no sequence for each process.
        """
        store = open_with_labels(self.store)
        ranks = int(options.get("ranks", 1))
        try:
            available = split(len(store), share, trials=store.trials).size
        except InputError:
            available = 0
        if available < ranks:
            raise InputError(
                f"{self.store}: found {available} of {len(store)} sequences for {share}, wanted "
                f"{ranks} or more; make a store of more sequences, or train with "
                "`source.parameters`"
            )
        return SequenceLoader(
            store,
            split=share,
            batch_size=max(1, min(batch_size, available // ranks)),
            device=device if store.kind == "rendered" else None,
            **options,
        )


def _range(text: str) -> Range:
    return Range.parse(text)
