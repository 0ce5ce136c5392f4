"""Where images are: in a store, or in a folder. For a folder nothing of stores is imported."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...simulator.errors import InputError
from ..store_files import PLAN, ROOT
from .finding import ImageEntry, find_images

if TYPE_CHECKING:
    from .stored import StoredImage


def is_store(place: Any) -> bool:
    """Return whether a place is a store, finished or not, and neither a file nor a folder."""
    if not isinstance(place, str | Path):
        return True
    path = Path(place)
    if path.is_dir():
        return any((path / key).exists() for key in (ROOT, PLAN))
    return not path.exists() and ("://" in str(place) or path.suffix == ".zarr")


def entries_of(
    place: Any, masks: str | Path | None = None, *, needed: bool = True
) -> "list[ImageEntry] | list[StoredImage]":
    """Return the images of a store, or those of a folder.

    Parameters
    ----------
    place : str, path or Store
    masks : str or path, optional
        Of a folder's images, see :func:`.finding.find_images`; a store has its own.
    needed : bool
        Whether an image at least has to have one.

    Raises
    ------
    InputError
        If there are no images, or none has a mask that is needed.
    """
    if not is_store(place):
        return find_images(place, masks, needed=needed)
    if masks is not None:
        raise InputError(
            f"{masks}: found `masks` of a store, wanted them in the store; import its images anew, "
            "with them"
        )
    from ..store import open_store
    from .stored import images_of

    found = images_of(open_store(place))
    if needed and not any(one.has_mask for one in found):
        raise InputError(
            f"{place}: found no aponeuroses drawn on its images, wanted them on some; import the "
            "images anew, with `masks`"
        )
    return found
