"""Which files the folder of an explanation holds."""

from ...evaluations import EvaluationFiles

SETTINGS = "explanation.json"
MOTION, FILTERS, TUNING = "motion.csv", "filters.csv", "tuning.csv"
CAPTIONS = "figures.json"

FILES = EvaluationFiles(
    settings=SETTINGS,
    keys=frozenset(("run", "explanation")),
    tables=(FILTERS, TUNING, MOTION),
    figures=r"explain-(?:motion|outputs|filters|maps|tuning)",
    captions=CAPTIONS,
)
"""What the folder of an explanation holds."""
