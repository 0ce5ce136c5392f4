"""Names of the files of a store, by which it is known without a library that reads it."""

ROOT = "zarr.json"
"""What Zarr says of the whole group; a store is finished once it is there."""

MARK = ".musim/mark"
PLAN = ".musim/plan.json"
MANIFEST = ".musim/manifest.json"
PARTS = ".musim/parts"
SEAL = ".musim/seal"
