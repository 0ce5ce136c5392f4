"""Published layouts: files whose names and units are known, so that little is left to guess."""

from ..files import File
from .layout import PublishedLayout
from .ome_zarr import OmeZarrLayout
from .picmus import PicmusLayout
from .uff import UffLayout
from .uff_images import UffImagesLayout
from .verasonics import VerasonicsLayout
from .zea import ZeaLayout
from .zea_images import ZeaImagesLayout

LAYOUTS: dict[str, type[PublishedLayout]] = {
    layout.name: layout
    for layout in (
        UffLayout,
        UffImagesLayout,
        PicmusLayout,
        ZeaLayout,
        ZeaImagesLayout,
        VerasonicsLayout,
        OmeZarrLayout,
    )
}
"""All published layouts, by name. The first that recognises a file tells what it means, so
echoes stand before the images that were made of them."""


def layout_of(file: File) -> PublishedLayout | None:
    """Return the published layout that a file has; None if it has none that is known."""
    layout = next((one for one in LAYOUTS.values() if one.recognises(file)), None)
    return layout(file) if layout else None
