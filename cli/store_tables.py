"""What a store holds, as tables for people and as JSON for programs."""

import dataclasses
import math
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ..datasets.datacard import Entry
from ..datasets.images.summary import ImagesCard
from ..datasets.layout import Layout
from ..datasets.origin import (
    Curated,
    ImportedImages,
    ImportedVideos,
    ImportedVolumes,
    ScannedLabels,
    declared_by,
    parameters_of,
    recorded_by,
)
from ..datasets.store import Store
from ..datasets.videos.summary import VideosCard
from ..datasets.volumes.summary import SlicesCard
from ..simulator.declarations import Declaration, declarations
from ..simulator.imaging.chain import Chain
from ..simulator.kinds import TableKind, short
from ..training.identification.curation.summary import changes_of
from ..training.identification.frame_faults import in_words
from ..training.identification.remarks import REMARKS
from ..training.identification.stored import outcome_of
from .outcomes import method_of
from .pages.markup import share
from .unit_summary import units_in
from .wording import counted

Card = ImagesCard | VideosCard | SlicesCard
"""What is known of a store's pictures together."""

VOXELS = {
    "dense": "voxels written",
    "rendered": "voxels rendered when read",
    "identified": "voxels of the units found",
    "section": "grey levels written",
    "video": "grey levels written",
    "slices": "intensities written",
}
UNITS = {"emg": "V", "torque": "N m", "angle": "deg"}
"""Of states."""

MOST_SOURCES = 20
"""Sequences whose sources, or units, are listed."""

VELOCIMETRY = {"gate", "ensemble", "estimator"}
"""Steps that make velocities of IQ images."""

WIDE = 110
"""Columns of a terminal that has room for everything."""

SUSPICIOUS = 0.001
"""p-values below are shown in red."""


def tables_of(
    store: Store,
    entries: list[Entry],
    width: int,
    card: Card | None = None,
) -> list[Table]:
    """Return the tables of a store and its data card, for a terminal of some width."""
    layout = store.layout
    frames = layout.shape[0]
    overview = _table("store", str(store.location))
    written = VOXELS[store.kind]
    if store.is_video and layout.is_rendered:
        written = "grey levels rendered when read"
    overview.add_row("kind", f"{store.kind} ({written}, {layout.dtype})")
    parts = counted(layout.parts, "part")
    overview.add_row("sequences", f"{len(store)} in {parts} of {layout.part_size}")
    length = "one image" if store.is_section else f"{frames} frames at {layout.frame_rate:g} Hz"
    length = "one slice, in two pictures" if store.is_slices else length
    overview.add_row("sequence", length)
    overview.add_row("image", f"{layout.image} (depth x width)")
    if layout.sample_rate is not None:
        overview.add_row(
            "signals", f"{layout.sizes['sample']} samples at {layout.sample_rate:g} Hz"
        )
    if store.seed is not None:
        overview.add_row("seed", str(store.seed))
    overview.add_row("origin", store.origin.made_by)
    versions = store.origin.software
    overview.add_row("made by", ", ".join(f"{k} {v}" for k, v in versions.items()))
    tables = [overview]
    asked = declared_by(store.origin)
    if asked:
        table = _table("parameter", "value", "unit")
        for part in asked:
            for name, about in declarations(type(part)).items():
                table.add_row(name, _shown(about, getattr(part, name)), about.unit)
        tables.append(table)
    tables += _sources(store) + _files(store) + _found(store)
    if isinstance(card, VideosCard):
        tables.append(_videos(card))
    elif isinstance(card, SlicesCard):
        tables.append(_slices(card))
    elif card is not None:
        tables.append(_images(card))
    tables.append(_variables(layout, width))
    if entries:
        tables.append(_card(entries, width))
    return tables


def _variables(layout: Layout, width: int) -> Table:
    """Return the table of variables; where it is narrow, of their sizes without the names."""
    wide = width >= WIDE
    table = _table("variable", "dimensions" if wide else "size", "type", "unit", "meaning")
    for column in table.columns[:4]:
        column.no_wrap = not wide or column is not table.columns[1]
    for name in layout.variables:
        variable = layout.variable(name)
        named = ", ".join(f"{dim} {layout.sizes[dim]}" for dim in variable.dims)
        plain = "x".join(str(layout.sizes[dim]) for dim in variable.dims)
        dims = named if wide else plain
        table.add_row(name, dims, variable.dtype, variable.units, variable.meaning)
    return table


def _sources(store: Store) -> list[Table]:
    """Return where an imported store's sequences come from, and what was done with them."""
    recorded = recorded_by(store.origin)
    if recorded is None:
        return []
    steps = _table("imaging chain", "value")
    measured = all(one["kind"] == "velocity" for one in recorded.descriptions)
    for name, step in declarations(Chain).items():
        if measured and name in VELOCIMETRY:
            continue  # velocities came in as they are
        steps.add_row(name, step.show(getattr(recorded.chain, name), short))
    table = _table("sequences", "file", "SHA-256", "from")
    for first, cut in enumerate(recorded.cuts[:MOST_SOURCES]):
        recording = f", recording {cut.recording}" if cut.recording else ""
        table.add_row(
            str(first), escape(cut.file + recording), cut.sha256[:16] + "…", f"{cut.start:.3f} s"
        )
    if len(recorded.cuts) > MOST_SOURCES:
        table.add_row("…", f"and {len(recorded.cuts) - MOST_SOURCES} more (see --json)", "", "")
    return [steps, table]


def _files(store: Store) -> list[Table]:
    """Return which files imported images come from, and what was taken of them."""
    if isinstance(store.origin, ImportedVolumes):
        return [_volumes(store.origin)]
    if not isinstance(store.origin, ImportedImages):
        return []
    images = store.origin.images
    table = _table("image", "file", "SHA-256", "size", "taken from row, column", "mask")
    for one in images[:MOST_SOURCES]:
        top, left, depth, width = one.crop
        whole = (depth, width) == one.size
        taken = "all" if whole else f"{top}, {left}: {depth} x {width}"
        size = "{} x {} px".format(*one.size)
        table.add_row(
            escape(one.name), escape(one.file), one.sha256[:8] + "…", size, taken,
            escape(one.mask or ""),
        )  # fmt: skip
    if len(images) > MOST_SOURCES:
        table.add_row("…", f"and {len(images) - MOST_SOURCES} more (see --json)", *[""] * 4)
    return [table]


def _volumes(origin: ImportedVolumes) -> Table:
    """Return which files paired volumes come from."""
    table = _table("variable", "file", "format", "SHA-256", "voxels", "size")
    for name, one in (("image", origin.first), ("image_b", origin.second)):
        many = "" if len(one.files) == 1 else f" ({counted(len(one.files), 'file')})"
        table.add_row(
            name, escape(one.name + many), one.format, one.files[0][1][:8] + "…",
            " x ".join(str(side) for side in one.shape),
            " x ".join(f"{side:.3g}" for side in one.voxel_size) + " mm",
        )  # fmt: skip
    told = [f"{origin.half} half"] if origin.half else []
    told += (
        ["the second volume was resampled onto the first one's grid"] if origin.resampled else []
    )
    table.caption, table.caption_justify = "; ".join(told) or None, "left"
    return table


def _slices(card: SlicesCard) -> Table:
    """Return what slices are together: those of each plane, and the values of both volumes."""
    table = _table("data card of slices", "slices", "size (px)", "pixel (mm)", "from, to (mm)",
                   "left out")  # fmt: skip
    for one in card.planes:
        shown = ["", "", ""]
        if one.slices:
            rows, columns = (_ends(ends) for ends in one.sizes)
            depth, width = (_ends(ends) for ends in one.pixel_sizes)
            first, last = one.positions
            shown = [f"{rows} x {columns}", f"{depth} x {width}", f"{first:.4g}, {last:.4g}"]
        table.add_row(one.plane, str(one.slices), *shown, str(one.left_out))
    table.caption = "\n".join(
        f"{name}: {_number(one.minimum)} to {_number(one.maximum)}, mean {_number(one.mean)}, "
        f"SD {_number(one.sd)}"
        for name, one in (("image", card.image), ("image_b", card.image_b))
    )
    table.caption_justify = "left"
    return table


def _images(card: ImagesCard) -> Table:
    """Return what is known of images together."""
    table = _table("data card of images", "")
    table.add_row("aponeuroses drawn", f"on {card.drawn} of {counted(card.images, 'image')}")
    table.add_row("groups", f"{card.groups}, of up to {counted(card.largest_group, 'image')}")
    for what, ends in (("depth", card.depths_mm), ("width", card.widths_mm)):
        if ends:
            few = "" if card.known == card.images else f" ({counted(card.known, 'image')})"
            table.add_row(what, f"{_ends(ends)} mm{few}")
    if not card.known:
        table.add_row("depth, width", "not known in mm")
    table.add_row("shape of pixels", f"{_ends(card.shapes)} (width over depth)")
    table.add_row("grey levels", "mean {:.1f}, SD {:.1f}".format(*card.grey))
    if card.cropped:
        table.add_row("cropped", counted(card.cropped, "image"))
    return table


def _videos(card: VideosCard) -> Table:
    """Return what trials are together: each state in each task."""
    table = _table("data card of trials", "trials", "mean (SD)", "range", "change (RMS)")
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for one in card.states:
        what = f"{one.state}, {UNITS[one.state]}"
        table.add_row(
            f"{escape(one.task)} {what}".strip(),
            str(one.trials),
            *(
                [f"{_number(one.mean)} ({_number(one.sd)})",
                 f"{_number(one.minimum)}..{_number(one.maximum)}", _number(one.change_sd)]
                if one.trials
                else ["not recorded", "", ""]
            ),
        )  # fmt: skip
    people, trials = counted(card.participants, "participant"), counted(card.trials, "trial")
    table.caption = (
        f"{trials} of {people}, {card.seconds / 60:.3g} min; changes are from image to image"
    )
    table.caption_justify = "left"
    return table


def _ends(ends: tuple[float, ...]) -> str:
    low, high = (f"{value:.3g}" for value in ends)
    return low if low == high else f"{low}-{high}"


def _found(store: Store) -> list[Table]:
    """Return what was found in the recordings, and what the remarks about it say."""
    if store.kind != "identified":
        return []
    outcomes = [outcome_of(store, index) for index in range(min(len(store), MOST_SOURCES))]
    table = _table("recording", "units", "energy explained", "remarks")
    for column in table.columns[1:3]:
        column.justify = "right"
    for index, outcome in enumerate(outcomes):
        words = ", ".join(REMARKS[name].words for name in outcome.remarks)
        if outcome.frame_faults:
            words += f": {in_words(outcome.frame_faults)}"
        if outcome.other_motion:
            words += f": {outcome.other_motion}"
        table.add_row(str(index), str(outcome.units), share(outcome.explained_share), words)
    if len(store) > MOST_SOURCES:
        table.add_row("…", "", "", f"and {len(store) - MOST_SOURCES} more (see --json)")
    table.caption = escape(method_of(store, outcomes)) or None
    table.caption_justify = "left"
    said = {name for outcome in outcomes for name in outcome.remarks}
    units = units_in(store, 0) if len(store) == 1 else None
    found = [table] if units is None else [table, units]
    if isinstance(store.origin, Curated):
        found.append(_curated(store.origin))
    if not said:
        return found
    meanings = _table("remark", "what it says", "what to try")
    for name, remark in REMARKS.items():
        if name in said:
            meanings.add_row(remark.words, remark.sentence, remark.advice)
    return [*found, meanings]


def _curated(origin: Curated) -> Table:
    """Return who changed units, and how."""
    table = _table("curated by", "changes", "first", "last")
    for row in changes_of(origin):
        table.add_row(escape(row["by"]), row["words"], row["first"], row["last"])
    return table


def _card(entries: list[Entry], width: int) -> Table:
    """Return the data card. Where it is narrow, the mean asked for is told only without a range."""
    wide = width >= WIDE
    headings = ["data card", "asked", "mean asked", "mean (SD)", "range", "values", "p"]
    table = _table(*(each for each in headings if wide or each != "mean asked"))
    for column in table.columns[1:]:
        column.no_wrap = True
    for column in table.columns[2:]:
        column.justify = "right"
    for entry in entries:
        asked, expected = entry.requested, _number(entry.expected_mean)
        spread = "" if math.isnan(entry.sd) else f" ({_number(entry.sd)})"
        extremes = f"{_number(entry.minimum)}..{_number(entry.maximum)}"
        colour = "red" if entry.p_value < SUSPICIOUS else "green"
        table.add_row(
            entry.name + (f", {entry.units}" if entry.units else ""),
            *((asked, expected) if wide else (asked or (expected and f"mean {expected}"),)),
            _number(entry.mean) + spread,
            "" if math.isnan(entry.minimum) else extremes,
            str(entry.count),
            "" if math.isnan(entry.p_value) else f"[{colour}]{entry.p_value:.3f}[/]",
        )
    return table


def _table(*headings: str) -> Table:
    return Table(*headings, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def _shown(about: Declaration, value: Any) -> str:
    if isinstance(about.kind, TableKind) and value is not None:
        return counted(len(value), "sample")
    return about.show(value, short)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"


def as_json(store: Store, entries: list[Entry], card: Card | None = None) -> dict[str, Any]:
    """Return the same as plain values."""
    outcomes = []
    if store.kind == "identified":
        outcomes = [outcome_of(store, index) for index in range(len(store))]
    said = {name for outcome in outcomes for name in outcome.remarks}
    recorded, asked = recorded_by(store.origin), parameters_of(store.origin)
    return {
        "store": str(store.location),
        "kind": store.kind,
        "sequences": len(store),
        "sizes": dict(store.layout.sizes),
        "frame_rate": store.layout.frame_rate,
        "pixel_size": list(store.layout.pixel_size),
        "pixel_unit": store.layout.pixel_unit,
        "sample_rate": store.layout.sample_rate,
        "seed": store.seed,
        "origin": store.origin.name,
        "domain": store.domain,
        "sources": _plain_sources(store),
        "chain": None if recorded is None else recorded.chain.to_json(),
        "parameters": None if asked is None else asked.to_json(),
        "found": [dataclasses.asdict(outcome) for outcome in outcomes],
        "remarks": {
            name: {"meaning": remark.sentence, "advice": remark.advice}
            for name, remark in REMARKS.items()
            if name in said
        },
        "curation": changes_of(store.origin) if isinstance(store.origin, Curated) else [],
        "data_card": [dataclasses.asdict(entry) for entry in entries],
        "images": dataclasses.asdict(card) if isinstance(card, ImagesCard) else None,
        "videos": dataclasses.asdict(card) if isinstance(card, VideosCard) else None,
        "slices": dataclasses.asdict(card) if isinstance(card, SlicesCard) else None,
    }


def _plain_sources(store: Store) -> list[dict[str, Any]]:
    recorded = recorded_by(store.origin)
    if isinstance(store.origin, ImportedImages):
        return [one.to_json() for one in store.origin.images]
    if isinstance(store.origin, ImportedVideos):
        return [one.to_json() for one in store.origin.videos]
    if isinstance(store.origin, ImportedVolumes):
        return [one.to_json() for one in (store.origin.first, store.origin.second)]
    if isinstance(store.origin, ScannedLabels):
        return [{"name": store.origin.file, "sha256": store.origin.sha256}]
    return [] if recorded is None else [cut.to_json() for cut in recorded.cuts]
