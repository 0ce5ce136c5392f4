"""A plane of the muscle: a map in grey with axes in mm and its scale, and room for outlines."""

import base64
import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from ..pictures.scales import round_ticks
from .markup import element, fixed, join

LEFT, TOP, RIGHT, BOTTOM = 50.0, 12.0, 82.0, 44.0
"""Room about the map, in the drawing's own units; the page scales them."""

HEADING = 14.0
"""Height of a heading above the map."""

PALEST, DARKEST = (255.0, 255.0, 255.0), (140.0, 140.0, 140.0)
"""Ends of the scale: dark outlines show on all of it."""
NOT_FINITE = (239, 227, 194)


@dataclass(frozen=True)
class Plane:
    """The plane of an image, as large as its room allows.

    Parameters
    ----------
    size : (float, float)
        Depth and width of the image, mm.
    widest, tallest : float
        Room for the map, in the drawing's own units.
    """

    size: tuple[float, float]
    widest: float
    tallest: float

    @property
    def scale(self) -> float:
        """The drawing's units to the mm."""
        depth, width = self.size
        return min(self.widest / width, self.tallest / depth)

    @property
    def box(self) -> tuple[float, float]:
        """Width and height of the map, in the drawing's units."""
        depth, width = self.size
        return width * self.scale, depth * self.scale

    def draw(
        self,
        values: NDArray[np.float32],
        highest: float,
        outlines: list[Markup],
        *,
        heading: str = "",
        labels: Markup | None = None,
        definitions: Markup | None = None,
        larger: float = 1.0,
        **attributes: Any,
    ) -> Markup:
        """Draw a map, what lies on it, its axes and its scale.

        Parameters
        ----------
        values : float32 array of shape (depth, width)
            What is drawn in grey, mm/s.
        highest : float
            The end of the scale, mm/s, above 0.
        outlines : list of Markup
            Elements on the map, under its frame.
        heading : str
            Above the map.
        labels : Markup, optional
            Elements over everything but the scale.
        definitions : Markup, optional
            Of what elements refer to.
        larger : float
            Times the drawing's own size.
        **attributes
            Of the SVG element.
        """
        width, height = self.box
        top = TOP + HEADING if heading else TOP
        total = (LEFT + width + RIGHT, top + height + BOTTOM)
        return element(
            "svg",
            definitions,
            element(
                "g",
                element("text", heading, x=width / 2, y=-10, class_="middle heading")
                if heading
                else None,
                element(
                    "image",
                    href=grey_png(values, highest),
                    width=width,
                    height=height,
                    preserveAspectRatio="none",
                    class_="pixels",
                ),
                *outlines,
                element("rect", width=width, height=height, class_="frame"),
                self._axes(),
                labels,
                self._colour_bar(highest),
                transform=f"translate({LEFT:g} {top:g})",
            ),
            viewBox=f"0 0 {total[0]:.1f} {total[1]:.1f}",
            **attributes,
            # As wide as its drawing is, so that the letters of narrow images grow no larger.
            width=total[0] * larger,
        )

    def _axes(self) -> Markup:
        """Draw the ticks and titles of the axes, in mm."""
        (breadth, height), scale = self.box, self.scale
        marks = []
        for value in round_ticks(self.size[1], most=max(3, int(breadth / 45))):
            x = value * scale
            marks.append(element("path", d=f"M{x:.1f} {height:.1f}v5", class_="tick"))
            marks.append(element("text", f"{value:g}", x=x, y=height + 18, class_="middle"))
        for value in round_ticks(self.size[0], most=max(3, int(height / 30))):
            y = value * scale
            marks.append(element("path", d=f"M0 {y:.1f}h-5", class_="tick"))
            marks.append(element("text", f"{value:g}", x=-8, y=y + 4, class_="end"))
        titles = (
            element("text", "Width (mm)", x=breadth / 2, y=height + 37, class_="middle"),
            element(
                "text",
                "Depth (mm)",
                transform=f"translate(-36 {height / 2:.1f}) rotate(-90)",
                class_="middle",
            ),
        )
        return element("g", *marks, *titles, class_="axes")

    def _colour_bar(self, highest: float) -> Markup:
        """Draw the scale of greys to the right of the map, from 0 to `highest`, mm/s."""
        left, height = self.box[0] + 12, self.box[1]
        values = round_ticks(highest, most=max(3, min(5, int(height / 30))))
        decimals = max(0, -math.floor(math.log10(values[1] if len(values) > 1 else 1) + 1e-9))
        marks = [
            join(
                element(
                    "path", d=f"M{left + 12:.1f} {height * (1 - v / highest):.1f}h4", class_="tick"
                ),
                element(
                    "text",
                    fixed(v, decimals),
                    x=left + 19,
                    y=height * (1 - v / highest) + 4,
                ),
            )
            for v in values
        ]
        return element(
            "g",
            element("rect", x=left, width=12, height=height, fill="url(#greys)", class_="bar"),
            *marks,
            element(
                "text",
                "SD of velocity (mm/s)" if height > 150 else "SD (mm/s)",
                transform=f"translate({left + 64:.1f} {height / 2:.1f}) rotate(-90)",
                class_="middle",
            ),
            class_="axes",
        )


def highest_of(values: NDArray[np.float32]) -> float:
    """Return the end of the scale of a map, above 0."""
    return float(values[np.isfinite(values)].max(initial=0)) or 1.0


def scale_of_greys() -> Markup:
    """Return the gradient of the scales; one definition serves all planes of a page."""
    ends = [f"rgb({','.join(f'{c:g}' for c in colour)})" for colour in (DARKEST, PALEST)]
    stops = [
        element("stop", offset=offset, stop_color=end)
        for offset, end in zip(("0", "1"), ends, strict=True)
    ]
    return element("linearGradient", *stops, id="greys", x1=0, y1=0, x2=0, y2=1)


def grey_png(values: NDArray[np.float32], highest: float) -> str:
    """Return an image as a data URL, one pixel a pixel, from pale at 0 to dark at `highest`."""
    finite = np.isfinite(values)
    share = np.clip(np.where(finite, values, 0) / highest, 0, 1)[..., None]
    colours = np.array(PALEST) + share * (np.array(DARKEST) - np.array(PALEST))
    pixels = np.where(finite[..., None], colours.round(), NOT_FINITE).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
