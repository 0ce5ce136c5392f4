"""A recording and one of its sequences, as a page looks at them."""

from dataclasses import asdict, dataclass
from typing import Any

from ...datasets.store import Store
from .curating import LiveStore
from .layers import Layer, layers_of
from .shown import KNOWN, Recording
from .units import Units, read_units


@dataclass(frozen=True)
class Sequence:
    """A sequence that a page looks at.

    Parameters
    ----------
    recording : Recording
    index : int
    """

    recording: Recording
    index: int

    @property
    def store(self) -> Store:
        """The recording's store."""
        return self.recording.watched.store

    @property
    def frames(self) -> int:
        """Frames that are no padding."""
        store = self.store
        return int(store.read("frame_count", self.index)) if store.is_video else (
            store.layout.shape[0]
        )  # fmt: skip

    def units(self, number: int) -> Units | None:
        """Return the units of one of the recording's sets; None where nobody looked for any."""
        units = self.recording.sets[number]
        place = units.place_of(self.store, self.index)
        return None if place is None else read_units(units.watched.store, place)

    def there(self, number: int) -> set[int] | None:
        """Return which units of a set are there; None of sets from which none can have gone."""
        units = self.recording.sets[number]
        live, place = units.watched.store, units.place_of(self.store, self.index)
        return set(live.kept(place)) if isinstance(live, LiveStore) and place is not None else None

    def is_gone(self, number: int, unit: int) -> bool:
        """Return whether a change took a unit away, so that a page asks for it too late."""
        units = self.recording.sets[number]
        live, place = units.watched.store, units.place_of(self.store, self.index)
        if not isinstance(live, LiveStore) or place is None:
            return False
        return bool(live.marks(place)[unit].get("gone", False))


def about(recording: Recording) -> dict[str, Any]:
    """Return what there is to see of a recording, as plain values."""
    store = recording.watched.store
    layout = store.layout
    return {
        "name": recording.watched.name,
        "place": str(store.location),
        "kind": store.kind,
        "sequences": len(store),
        "shape": layout.shape,
        "frame_rate": layout.frame_rate,
        "pixel_size": layout.pixel_size,
        "pixel_unit": layout.pixel_unit,
        "made_by": store.origin.made_by,
        "tells_pixels": tells_pixels(store),
        "layers": [asdict(one) for one in known_layers(recording)],
        "sets": [
            {
                "name": units.name,
                "kind": units.kind,
                "curated": isinstance(units.watched.opened, LiveStore),
            }
            for units in recording.sets
        ],
    }


def known_layers(recording: Recording) -> list[Layer]:
    """Return the layers of a recording, by what is known of its units."""
    kinds = {units.kind for units in recording.sets}
    return layers_of(recording.watched.store, units=bool(kinds - {KNOWN}), firings=bool(kinds))


def tells_pixels(store: Store) -> bool:
    """Return whether a pixel's signal can be had: not of stills, nor of videos rendered on read.

    A frame of these takes a tenth of a second, and a pixel of it no less.
    """
    if store.is_video:
        return not store.layout.is_rendered
    return not (store.is_section or store.is_slices)
