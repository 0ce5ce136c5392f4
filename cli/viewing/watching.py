"""Stores that are looked at while others may change or remove them."""

import threading
import time
from typing import Any

from ...datasets.location import Location
from ...datasets.store import Store, open_store
from ...datasets.store_files import ROOT, SEAL
from ...simulator.errors import FailureError, MusimError

OFTEN, SELDOM = 0.5, 10.0
"""Seconds between two looks at a store on a disk, and at one behind a network."""


class VanishedError(FailureError):
    """A store is not there any more."""


class ChangedError(FailureError):
    """Another store lies where one was opened."""


class Watched:
    """A store that is known to be the one that was opened, as often as it is asked for.

    Parameters
    ----------
    url : str, path or Store

    Raises
    ------
    MusimError
        As of :func:`musim.datasets.open_store`.
    """

    def __init__(self, url: Any) -> None:
        self._lock = threading.Lock()
        self._open(url)

    def _open(self, url: Any) -> None:
        self._store = open_store(url)
        self._mark = _mark_of(self._store)
        self._seen = time.monotonic()

    @property
    def name(self) -> str:
        """The last part of its path or URL."""
        return str(self._store.location).rstrip("/").rsplit("/", 1)[-1]

    @property
    def opened(self) -> Store:
        """The store as it was opened, whatever has become of it."""
        return self._store

    @property
    def store(self) -> Store:
        """The store.

        Raises
        ------
        VanishedError
            If there is none any more.
        ChangedError
            If another one lies in its place.
        """
        with self._lock:
            pause = OFTEN if self._store.location.is_local else SELDOM
            if time.monotonic() - self._seen >= pause:
                if _mark_of(self._store) != self._mark:
                    raise ChangedError(
                        f"{self._store.location}: found another store than was opened; load the "
                        "page again to see it"
                    )
                self._seen = time.monotonic()
            return self._store

    def refresh(self) -> bool:
        """Open the store that lies there now; return whether it is another one.

        Raises
        ------
        MusimError
            As of :func:`musim.datasets.open_store`.
        """
        with self._lock:
            if _mark_of(self._store) == self._mark:
                return False
            self._open(str(self._store.location))
            return True


def _mark_of(store: Store) -> bytes:
    """Return what tells a store from others that lie in its place."""
    location = store.location
    try:
        root = location.read(ROOT)
    except FileNotFoundError:
        raise VanishedError(_instead(location)) from None
    try:
        return location.read(SEAL) + root
    except FileNotFoundError:  # of stores before there were seals
        return root


def _instead(location: Location) -> str:
    """Say what lies where a store lay."""
    if location.exists():
        try:
            open_store(location)
        except MusimError as error:  # an unfinished one, or something else
            return str(error)
    return (
        f"{location}: found no store there any more, wanted the one that was opened; bring it "
        "back, or end this and view another"
    )
