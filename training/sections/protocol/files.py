"""What the folder of an evaluation of thickness holds; known without the networks."""

from ...evaluations import EvaluationFiles

SETTINGS = "thickness.json"
CAPTIONS = "figures.json"
IMAGES, SEGMENTATION, THICKNESS = "images.csv", "segmentation.csv", "thickness.csv"

FILES = EvaluationFiles(
    settings=SETTINGS,
    keys=frozenset(("protocol", "real", "training")),
    tables=(IMAGES, SEGMENTATION, THICKNESS),
    figures=r"thickness-(?:agreement|found|fewer)",
    captions=CAPTIONS,
    parts=r"[\w.-]+\.json",
    described=lambda settings: f"{settings['real']['images']}, {settings['training']}",
)
"""What the folder of an evaluation holds."""
