"""Pictures of what was measured: the image with its aponeuroses, chords and a fascicle."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .measuring import Measurement

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUPERFICIAL, DEEP, CENTRE, CHORD, FASCICLE = "#4cc9f0", "#f0a04c", "white", "#ffe14d", "#ff5c8a"
"""Colours of lines, which stand out on grey."""

INCHES, DOTS = 6.0, 120
"""Width of a picture, and its resolution."""


def measurement_figure(image: NDArray[np.uint8], measured: Measurement) -> "Figure":
    """Return the picture of a measurement.

    Parameters
    ----------
    image : (depth, width) array of uint8
    measured : Measurement
        Of this image.
    """
    from matplotlib.figure import Figure

    depth, width = measured.size
    tall = INCHES * depth / (width * measured.scale.shape)
    figure = Figure(figsize=(INCHES, min(max(tall, 1.5), 12.0) + 0.4), dpi=DOTS)
    axes = figure.subplots()
    figure.subplots_adjust(0, 0, 1, 1 - 0.4 / figure.get_figheight())
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, aspect=1 / measured.scale.shape)
    axes.set_title(f"{measured.name}: {caption(measured)}", fontsize=9)
    lines = measured.aponeuroses
    for line, colour in ((lines.superficial, SUPERFICIAL), (lines.deep, DEEP)):
        if line is not None:
            axes.plot(line.column, line.depth, color=colour, linewidth=1.4)
    if not measured.thickness.reason:
        centre = measured.thickness.centre
        axes.plot(centre[:, 1], centre[:, 0], color=CENTRE, linewidth=0.8, linestyle=(0, (5, 4)))
        for chord in measured.thickness.chords:
            axes.plot(chord[:, 1], chord[:, 0], color=CHORD, linewidth=1.2)
    if len(measured.fascicles.fascicle):
        ends = measured.fascicles.fascicle
        axes.plot(ends[:, 1], ends[:, 0], color=FASCICLE, linewidth=1.4)
    # A fascicle may end beyond the image.
    axes.set(xlim=(-0.5, width - 0.5), ylim=(depth - 0.5, -0.5))
    axes.set_axis_off()
    return figure


def caption(measured: Measurement) -> str:
    """Say in a few words what was measured, or why nothing was."""
    thickness, fascicles = measured.thickness, measured.fascicles
    if thickness.reason:
        return thickness.reason
    known = measured.scale.known
    thick = f"{thickness.millimetres:.1f} mm" if known else f"{thickness.pixels:.1f} px"
    text = f"{thick} thick"
    if fascicles.reason:
        return f"{text}; {fascicles.reason}"
    long = f"{fascicles.length_mm:.0f} mm" if known else f"{fascicles.length_pixels:.0f} px"
    return f"{text}, pennation {fascicles.pennation_deg:.1f}°, fascicles {long}"
