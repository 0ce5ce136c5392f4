"""Putting translations to the test: their sequences beside simulated and experimental ones."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...datasets.origin import Translated, software_versions
from ...datasets.parallel import open_workers
from ...datasets.store import Store, open_sequences
from ...simulator.errors import InputError
from ..evaluations import EvaluationFiles, EvaluationFolder
from .measuring import check_truth, load, measure_sequence
from .metrics import PAPER, AlarmSettings, FeatureSettings
from .metrics.features import check_band
from .metrics.findings import (
    Domain,
    TranslatedDomain,
    TranslationEvaluation,
    domain_of,
    rows_of,
    translation_of,
)
from .metrics.table import PAIRS, plain, table_row

__all__ = ["PAPER", "Domain", "TranslatedDomain", "TranslationEvaluation", "evaluate_translation"]

TABLE = "table.csv"
SETTINGS = "table.json"
SEQUENCES = "sequences.csv"
UNITS = "units.csv"

CAPTIONS = "figures.json"
"""Names of the figures, with their titles and what they show."""

FILES = EvaluationFiles(
    settings=SETTINGS,
    keys=frozenset(("a", "b", "translated", "rows")),
    tables=(TABLE, SEQUENCES, UNITS),
    figures=r"translation-(?:features|signals|differences-\d+)",
    captions=CAPTIONS,
)
"""What the folder of an evaluation holds."""


def evaluate_translation(
    a: Any | None,
    b: Any,
    translated: Sequence[Any],
    out: str | Path,
    *,
    names: Sequence[str] | None = None,
    settings: FeatureSettings | None = None,
    alarm_settings: AlarmSettings | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> TranslationEvaluation:
    """Score translated stores as Ali et al. 2022 do (Table 1), with two additions.

    All sequences of a store are compared with all experimental ones; each translated sequence is
    compared with its input, the sequence of `a` at the same place. Added are whether the truth
    still tells the motion, and two alarms.

    Parameters
    ----------
    a : str, path or None
        The simulated store. If None, the one that the translated stores say they were made of.
    b : str or path
        The experimental store.
    translated : sequence of str or path
        Stores whose sequence i is the translation of that of `a`; they may have fewer.
    out : path
        A local folder for tables and figures.
    names : sequence of str, optional
        Of the translations; those of the stores, if not given.
    settings : FeatureSettings, optional
    alarm_settings : AlarmSettings, optional
    workers : int, optional
        Processes; one a processor, if not given. Each holds two sequences at a time.
    overwrite : bool
        Whether to replace an evaluation that is there.
    on_progress : callable
        Called with the numbers of sequences done and in all; a simulated sequence and its
        translations count as one.

    Returns
    -------
    TranslationEvaluation

    Raises
    ------
    InputError
        If stores do not fit one another or the settings, or something is at `out` already.
    FailureError
        If a store is damaged, the tables cannot be written, or a worker dies.
    """
    settings = settings or FeatureSettings()
    alarm_settings = alarm_settings or AlarmSettings()
    experimental = open_sequences(b)
    outputs = [open_sequences(url) for url in translated]
    if not outputs:
        raise InputError("translated: found no store, wanted one or more")
    simulated = open_sequences(_source(outputs) if a is None else a)
    stores = [simulated, experimental, *outputs]
    names = _names(outputs, names)
    _check(stores, settings)
    folder = EvaluationFolder(out, FILES)
    folder.check(overwrite=overwrite)
    with folder.at_work(overwrite=overwrite) as place:
        kept = _measured(stores, settings, alarm_settings, workers, on_progress)
        domain_a, domain_b = (
            domain_of(name, store.location.address, values)
            for name, store, values in zip(("A", "B"), stores, kept, strict=False)
        )
        translations = [
            translation_of(
                name, store.location.address, values, (domain_a, domain_b), alarm_settings
            )
            for name, store, values in zip(names, outputs, kept[2:], strict=True)
        ]
        rows = rows_of(domain_a, domain_b, translations, settings)
        layout = simulated.layout
        found = TranslationEvaluation(
            settings, alarm_settings, layout.frame_rate, layout.pixel_size, rows, domain_a,
            domain_b, tuple(translations),
        )  # fmt: skip
        _write_tables(place, found)
        # matplotlib is imported where something is drawn, and not before.
        from .figures import draw_charts

        place.write_charts(draw_charts(found))
    return found


def _measured(
    stores: Sequence[Store],
    settings: FeatureSettings,
    alarm_settings: AlarmSettings,
    workers: int | None,
    on_progress: Callable[[int, int], None],
) -> list[list[Any]]:
    """Measure all sequences of stores: the simulated, the experimental, and the translated ones."""
    simulated, experimental, *outputs = stores
    with (
        open_workers(workers=workers, pool=_pool(stores)) as run,
        tempfile.TemporaryDirectory(prefix="musim-") as aside,
    ):
        addresses = [store.location.address for store in outputs]
        tasks: list[tuple[Any, ...]] = [
            (aside, [store.location.address], index, settings, alarm_settings, label)
            for label, store in (("b", experimental), ("a", simulated))
            for index in range(len(store))
        ]
        for task in tasks:
            if task[-1] == "a":
                task[1].extend(addresses)
        done = 0

        def on_done() -> None:
            nonlocal done
            done += 1
            on_progress(done, len(tasks))

        on_progress(0, len(tasks))
        run(measure_sequence, tasks, on_done)
        return [
            [load(Path(aside) / f"{label}-{index}") for index in range(len(store))]
            for label, store in zip(_labels(len(outputs)), stores, strict=True)
        ]


def _labels(count: int) -> list[str]:
    return ["a", "b", *(f"t{number}" for number in range(count))]


def _source(outputs: Sequence[Store]) -> str:
    """Return the address of the store of which all translated stores were made."""
    found = set()
    for store in outputs:
        if not isinstance(store.origin, Translated):
            raise InputError(
                f"{store.location}: found {store.origin.made_by}, wanted a translated store, which "
                "says what it was made of; name that with `a`"
            )
        found.add(store.origin.store)
    if len(found) > 1:
        raise InputError(
            f"translated: found stores made of {' and of '.join(sorted(found))}, wanted one "
            "simulated store; evaluate them apart"
        )
    return found.pop()


def _names(outputs: Sequence[Store], names: Sequence[str] | None) -> list[str]:
    if names is not None:
        if len(names) != len(outputs):
            raise InputError(f"names: found {len(names)}, wanted {len(outputs)}, one a store")
        return list(names)
    addresses = [store.location.address.rstrip("/") for store in outputs]
    short = [address.rsplit("/", 1)[-1].removesuffix(".zarr") for address in addresses]
    return short if len(set(short)) == len(short) else addresses


def _check(stores: Sequence[Store], settings: FeatureSettings) -> None:
    """Raise InputError unless stores fit one another and can be compared."""
    first = stores[0]
    layout = first.layout
    for store in stores[1:]:
        if not store.layout.grid.fits(layout.grid):
            raise InputError(
                f"{store.location}: found {store.layout.grid}, wanted {layout.grid} as in "
                f"{first.location}; make them alike"
            )
    for store in stores[2:]:
        if len(store) > len(first):
            raise InputError(
                f"{store.location}: found {len(store)} sequences, wanted no more than the "
                f"{len(first)} of {first.location}; name the store that it was translated from"
            )
        check_truth(first, store, 0)
    check_band(layout.shape[0], layout.frame_rate, settings)
    points = min((side - 1) // 2 for side in layout.shape[1:])
    if points < settings.window:
        raise InputError(
            f"{first.location}: found {layout.shape[1]} x {layout.shape[2]} px, wanted "
            f"{2 * settings.window + 1} or more for windows of {settings.window} points of K-space"
        )


def _pool(stores: Sequence[Store]) -> Any:
    return "processes" if all(store.location.is_shared for store in stores) else "threads"


def _write_tables(folder: EvaluationFolder, found: TranslationEvaluation) -> None:
    sequences = [row for each in found.translations for row in each.sequences]
    units = [row for each in found.translations for row in each.units]
    rows = [table_row(row) for row in (*found.rows, *PAPER)]
    for row, source in zip(rows, ["here"] * len(found.rows) + ["paper"] * len(PAPER), strict=True):
        row["source"] = source
    for name, content in ((TABLE, rows), (SEQUENCES, sequences), (UNITS, units)):
        folder.write_table(name, content)
    folder.write_settings(
        plain(
            {
                "settings": found.settings.to_json(),
                "alarm_settings": found.alarm_settings.to_json(),
                "text": [found.settings.describe(), found.alarm_settings.describe(), PAIRS],
                "a": found.a.address,
                "b": found.b.address,
                "translated": {each.name: each.address for each in found.translations},
                "rows": [asdict(row) for row in found.rows],
                "paper": [asdict(row) for row in PAPER],
                "survival": {
                    each.name: {name: asdict(score) for name, score in each.survival.items()}
                    for each in found.translations
                },
                "alarms": {each.name: list(each.alarms) for each in found.translations},
                "software": software_versions(),
            }
        ),
    )
