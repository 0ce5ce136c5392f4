"""A store as notebooks show it: what it holds, what was asked of it, and its first sequence."""

import base64
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ..simulator.declarations import declarations
from .origin import declared_by
from .store import Store
from .videos.trials import trials_of
from .volumes.slices import slices_of

MOST_VOXELS = 8_000_000
"""Of the first sequence, no more than this many voxels are looked at: some 0.2 s to render."""

SIDE = 256
"""Longer side of the picture, px."""

STYLE = Markup(
    "<style>.musim td,.musim th{text-align:left;vertical-align:top;padding:1px 8px 1px 0}"
    ".musim{display:flex;gap:24px;flex-wrap:wrap;align-items:flex-start}"
    ".musim figcaption{font-size:smaller}.musim figure{margin:0}"
    ".musim>div{max-width:36em}</style>"
)


def html_of(store: Store) -> str:
    """Return a store as HTML, quickly: at most one sequence is read.

    Parameters
    ----------
    store : Store

    Returns
    -------
    str
        Whatever stands in the store is escaped. What cannot be read is said in its place; nothing
        is raised.
    """
    overview, asked, picture = (_said(store, piece) for piece in (_overview, _asked, _picture))
    return str(
        STYLE
        + Markup('<div class="musim"><div>{}{}</div>{}</div>').format(overview, asked, picture)
    )


def _said(store: Store, piece: Callable[[Store], Markup]) -> Markup:
    """Return a piece, or why there is none: a notebook shows what it can of a damaged store."""
    try:
        return piece(store)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return Markup("<p>{}</p>").format(reason)


def _overview(store: Store) -> Markup:
    layout = store.layout
    frames, _, _ = layout.shape
    rows = {
        "store": str(store.location),
        "from": store.origin.made_by,
        "sequences": str(len(store)),
        "sequence": f"{frames} frames at {layout.frame_rate:g} Hz, "
        f"{frames / layout.frame_rate:.3g} s",
        "image": layout.image,
        "voxels": f"{layout.dtype}, {'stored' if store.kind == 'dense' else 'made when read'}",
        "variables": ", ".join(sorted({layout.picture, *layout.variables})),
    }
    if store.is_video:
        del rows["voxels"]
        made = "made when read" if layout.is_rendered else "stored"
        rows["images"] = f"{layout.dtype}, {made}"
        rows["signals"] = f"at {layout.sample_rate:g} Hz"
    if store.is_section:
        rows |= {"sequence": "one image", "variables": ", ".join(sorted(layout.variables))}
        del rows["voxels"]
    if store.is_slices:
        rows |= {"sequence": "one slice, in two pictures"}
        rows |= {"variables": ", ".join(sorted(layout.variables))}
        del rows["voxels"]
    return _table((name, value) for name, value in rows.items())


def _asked(store: Store) -> Markup:
    """Return what was asked of a simulated store."""
    rows = []
    for asked in declared_by(store.origin):
        for name, about in declarations(type(asked)).items():
            value = getattr(asked, name)
            if value is not None:
                rows.append((name.replace("_", " "), f"{_short(value)} {about.unit}".strip()))
    if not rows:
        return Markup("")
    table = _table(rows)
    return Markup("<details><summary>{} parameters</summary>{}</details>").format(len(rows), table)


def _short(value: Any) -> str:
    if not isinstance(value, tuple):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if value and isinstance(value[0], tuple):
        return f"{len(value)} samples"
    return " x ".join(f"{part:g}" for part in value)


def _table(rows: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Markup:
    lines = (Markup("<tr><th>{}</th><td>{}</td></tr>").format(*row) for row in rows)
    return Markup("<table>{}</table>").format(Markup("").join(lines))


def _picture(store: Store) -> Markup:
    """Return the spread of the first sequence's velocity, with the outlines of its units.

    Of images of the longitudinal section, the first one, with those of its aponeuroses; of a video
    its first frame; of slices the middle one of the first volume, from its least value on.
    """
    if store.is_slices:
        one = slices_of(store)[len(store) // 2]
        caption = f"slice {one.index}, {one.plane} at {one.position:.1f} mm"
        shown = one.image - np.float32(np.min(one.image))
        return _figure(store, shown, (), caption, one.pixel_size)
    if store.is_video:
        shown = store.bmode(0, time=slice(0, 1))[0].astype(np.float32)
        return _figure(store, shown, (), f"{trials_of(store)[0].name}: first frame")
    frames, depth, width = store.layout.shape
    if store.is_section:
        shown = store.read("bmode", 0)[0].astype(np.float32)
        caption, variables = "image 0", store.layout.variables
        if "muscle_thickness" in variables:
            caption += f": {float(store.read('muscle_thickness', 0)):.1f} mm thick"
        drawn = store.read("aponeurosis_mask", 0) if "aponeurosis_mask" in variables else ()
        return _figure(store, shown, drawn, caption)
    seen = min(frames, max(MOST_VOXELS // (depth * width), 2))
    voxels = store.tvi(0, time=slice(0, seen)).astype(np.float32, copy=False)
    count = int(store.read("unit_count", 0)) if store.has_units else 0
    masks = store.read("territory", 0)[:count] if count else ()
    units = f", {count} units" if store.has_units else ""
    caption = f"sequence 0: SD of {seen / store.layout.frame_rate:.3g} s{units}"
    return _figure(store, voxels.std(axis=0), masks, caption)


def _figure(
    store: Store, shown: NDArray[np.float32], masks: Iterable[NDArray[Any]], caption: str,
    pixel_size: tuple[float, float] | None = None,
) -> Markup:  # fmt: skip
    """Return a picture with outlines over it, as large as its pixels are in mm."""
    depth, width = shown.shape
    steps = store.layout.pixel_size if pixel_size is None else pixel_size
    high, across = (n * step for n, step in zip((depth, width), steps, strict=True))
    if "pixel_shape" in store.layout.variables:
        across = high / depth * width * float(store.read("pixel_shape", 0))
    paths = Markup("").join(
        Markup('<path vector-effect="non-scaling-stroke" d="{}"/>').format(
            _outline(np.asarray(mask, np.float32))
        )
        for mask in masks
    )
    scale = SIDE / max(high, across)
    svg = Markup(
        '<svg width="{}" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        '<image href="data:image/png;base64,{}" width="{}" height="{}" preserveAspectRatio="none" '
        'style="image-rendering:pixelated"/>'
        '<g fill="none" stroke="#e69f00" stroke-width="1.5">{}</g></svg>'
    ).format(
        round(across * scale), round(high * scale), width, depth, _png(shown), width,
        depth, paths,
    )  # fmt: skip
    return Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(svg, caption)


def _outline(mask: NDArray[np.float32]) -> str:
    """Return the path around a mask, px, closed along the image's border."""
    from contourpy import LineType, contour_generator

    padded = np.pad(mask, 1)
    rows, columns = (np.arange(n) - 0.5 for n in padded.shape)
    lines: Any = contour_generator(columns, rows, padded, line_type=LineType.Separate).lines(0.5)
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line) + "Z" for line in lines)


def _png(values: NDArray[np.float32]) -> str:
    """Return an image of values, black to white from 0 to the largest, as PNG in base 64."""
    from PIL import Image

    finite = np.nan_to_num(values, posinf=0)
    grey = (255 * finite / (float(finite.max()) or 1.0)).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(grey).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()
