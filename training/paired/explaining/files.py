"""Which files the folder of an explanation of a run on pairs holds."""

from ...evaluations import EvaluationFiles

SETTINGS = "windows.json"
POINTS, CURVE, MAP = "points.csv", "curve.csv", "map.csv"
STRUCTURES, SIZES = "structures.csv", "sizes.csv"
CAPTIONS = "figures.json"

FILES = EvaluationFiles(
    settings=SETTINGS,
    keys=frozenset(("run", "data", "explanation")),
    tables=(POINTS, CURVE, MAP, STRUCTURES, SIZES),
    figures=r"explain-(?:windows|curve|map|structures|lost)",
    captions=CAPTIONS,
)
"""What the folder of such an explanation holds."""
