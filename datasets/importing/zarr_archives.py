"""Reading Zarr stores in zip archives, where they lie."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import zarr
from zarr.storage import ZipStore

from ...simulator.errors import InputError
from .content import Content
from .damage import damage
from .zarr_folders import MARKS, ZarrFolder

_UNPACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class ZarrArchive(ZarrFolder):
    """A Zarr group or array in a zip archive, at its top or in a folder of it.

    Nothing is unpacked to disk; the checksum of every member that is read is checked.
    """

    format = "Zarr in a zip archive"
    suffixes = (".zip", ".zarr")

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it is a zip archive with Zarr's metadata in it."""
        return bool(_stores(content.members))

    def _open(self, path: Path) -> Any:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        stores = _stores([member.filename for member in members])
        if len(stores) > 1:
            raise InputError(
                f"{path}: found {len(stores)} Zarr stores in a zip archive ({', '.join(stores[:4])}"
                "), wanted one; unpack it and give one of them"
            )
        for member in members:
            if member.flag_bits & 1:
                raise InputError(
                    f"{path}: {member.filename}: found it encrypted, wanted plain values; unpack "
                    "the archive with its password"
                )
            if member.compress_type not in _UNPACKED:
                raise InputError(
                    f"{path}: {member.filename}: found it compressed by a method of zip that is "
                    f"not known (number {member.compress_type}); unpack the archive"
                )
        place = stores[0]
        is_array = any(member.filename == f"{place}.zarray" for member in members)
        self._store = ZipStore(path, mode="r")
        options: dict[str, Any] = {} if is_array else {"use_consolidated": False}
        try:
            return zarr.open(self._store, path=place.rstrip("/"), mode="r", **options)
        except BaseException:
            self._store.close()
            raise

    def close(self) -> None:
        """Close the archive."""
        with damage(self.path):
            self._store.close()


def _stores(names: Sequence[str]) -> list[str]:
    """Return where stores begin in an archive: ``""`` at its top, or folders ending in ``/``."""
    found = {name.rpartition("/") for name in names if name.rpartition("/")[2] in MARKS}
    places = sorted(folder + mark for folder, mark, _ in found)
    # What lies within a store is a part of it.
    return [p for p in places if not any(p.startswith(other) for other in places if other != p)]
