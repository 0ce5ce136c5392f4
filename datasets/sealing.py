"""The seal: what proves a finished store's root metadata and manifest to be those it was made with.

The seal holds both checksums, and is written before the root metadata make the store whole. What is
added to those later carries its own proof, in the same document: one file changes, at once, so
that whenever a run is killed the store is as it was before, or as it is after.
"""

import json
from collections.abc import Mapping
from typing import Any

from .location import Location, checksum
from .origins.attributes import SEALED
from .store_files import MANIFEST, ROOT, SEAL


def seal(root: bytes, manifest: bytes) -> bytes:
    """Return the content of the seal: the checksums of the root metadata and of the manifest."""
    return f"{ROOT} {checksum(root):08x}\n{MANIFEST} {checksum(manifest):08x}\n".encode()


def is_sealed(location: Location) -> bool:
    """Return whether root metadata and manifest are those that were sealed.

    Raises
    ------
    FileNotFoundError
        If one of them or the seal is missing.
    """
    root, manifest, sealed = (location.read(key) for key in (ROOT, MANIFEST, SEAL))
    if sealed == seal(root, manifest):
        return True
    if not sealed.endswith(seal(root, manifest).partition(b"\n")[2]):
        return False
    try:
        return root == _sealed(json.loads(root), sealed)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def set_attributes(location: Location, attributes: Mapping[str, Any]) -> None:
    """Add attributes to a finished store.

    Raises
    ------
    MusimError
        If the store cannot be written.
    """
    document = json.loads(location.read(ROOT))
    document["attributes"] |= attributes
    location.write(ROOT, _sealed(document, location.read(SEAL)))


def _sealed(document: Mapping[str, Any], sealed: bytes) -> bytes:
    """Return root metadata to which something was added, with their own proof among them.

    It covers the store's seal too, and so the manifest: those of another store prove nothing here.
    """
    attributes = {key: value for key, value in document["attributes"].items() if key != SEALED}
    plain = _encoded({**document, "attributes": attributes})
    proof = f"{checksum(plain, checksum(sealed)):08x}"
    return _encoded({**document, "attributes": {**attributes, SEALED: proof}})


def _encoded(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2, allow_nan=False).encode()
