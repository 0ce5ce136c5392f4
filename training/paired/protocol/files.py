"""What the folder of an evaluation of paired translation holds; known without the networks."""

from ...evaluations import EvaluationFiles

NAME = "grant-jacob-2021"

SETTINGS = "paired.json"
CAPTIONS = "figures.json"
SLICES, PLANES, PROFILE, TABLE = "slices.csv", "planes.csv", "profile.csv", "table.csv"

FILES = EvaluationFiles(
    settings=SETTINGS,
    keys=frozenset(("protocol", "runs", "data", "levels")),
    tables=(SLICES, PLANES, PROFILE, TABLE),
    figures=r"paired-(?:differences|planes|profile|intensities|spectrum)",
    captions=CAPTIONS,
    parts=r"[0-9a-f]{32}\.npz",
    changeable=frozenset(("runs", "found")),
    described=lambda settings: f"slices of {settings['data']}",
)
"""What the folder of an evaluation holds. A part is what one run makes of some slices; more runs
join an evaluation that is there."""
