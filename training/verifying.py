"""Proving stores whole and made again, those too that were made of others."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from ..datasets.origin import Curated, Origin
from ..datasets.store import Store
from ..datasets.verification import Remade
from ..datasets.verification import verify as verify_store


def verify(
    url: Any,
    *,
    remake: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Store:
    """Check a store: all its files, its schema, and on demand that it can be made again.

    Of what was drawn, sequences are drawn again; units that were curated are made again from the
    units, their recordings and the changes that the store keeps, where these still are.

    Parameters, result and errors are those of :func:`musim.datasets.verification.verify`.
    """
    also: dict[type[Origin], Remade] = {Curated: _curated_again}
    return verify_store(url, remake=remake, also=also, on_progress=on_progress)


def _curated_again(store: Store, index: int) -> Mapping[str, NDArray[Any]]:
    from .identification.curation.curating import Curation  # only where one is made again

    made = Curation(layout=store.layout).arrays(index)
    return {name: values[None] for name, values in made.items()}
