"""What the model was trained on that made some images, if their store tells."""

from typing import Any

from ....datasets.images.places import is_store
from ....datasets.origin import SampledImages
from ....datasets.store import open_store
from ....simulator.errors import InputError
from ...runs.folder import RunFolder
from ..image_sets import ImageSet
from ..image_source import ImageSource


def training_images(place: Any) -> tuple[ImageSet | None, tuple[str, ...]]:
    """Return the images that the run was trained on which sampled a store.

    Parameters
    ----------
    place : str, path, Store or ImageSet

    Returns
    -------
    images : ImageSet or None
        None if it is a folder or a store that no run has sampled, or what the run was trained on
        is no longer there.
    remarks : tuple of str
        Why it is not known, of what a run has sampled.
    """
    if isinstance(place, ImageSet) or not is_store(place):
        return None, ()
    store = open_store(place)
    origin = store.origin
    if not isinstance(origin, SampledImages):
        return None, ()
    try:
        source = RunFolder(origin.run).describe()["source"]
        return ImageSource.from_json(source).train, ()
    except (InputError, KeyError, TypeError, AttributeError) as error:
        why = str(error) if isinstance(error, InputError) else "its run is of another form"
        return None, (
            f"what the model was trained on that sampled {store.location} is not known ({why}); "
            "name it as the training images, or real images are taken for it",
        )
