"""What the paper reports: Tables 4 to 6 of Katakis et al. 2023.

doi:10.3390/biomedinformatics3020027. Its images are not public, and of one scanner; its generated
images were labelled by hand.
"""

SEGMENTATION = {
    "real": {"precision": 0.85, "recall": 0.87, "dice": 0.85, "iou": 0.75},
    "generated": {"precision": 0.78, "recall": 0.85, "dice": 0.80, "iou": 0.68},
    "real+generated": {"precision": 0.84, "recall": 0.88, "dice": 0.86, "iou": 0.76},
}
"""Table 4, means over images."""

THICKNESS_MM = {
    "real": {"manual": 24.50, "automatic": 24.51, "rmse": 0.35},
    "generated": {"manual": 24.50, "automatic": 24.56, "rmse": 1.05},
    "real+generated": {"manual": 24.50, "automatic": 24.44, "rmse": 0.38},
}
"""Table 5 [mm]. Its "RMSE" comes with an SD, so it is a mean of what each image is off."""

FEWER = {
    "50%": {"dice": 0.842, "iou": 0.735},
    "50%+generated": {"dice": 0.847, "iou": 0.743},
    "30%": {"dice": 0.834, "iou": 0.724},
    "30%+generated": {"dice": 0.842, "iou": 0.735},
    "10%": {"dice": 0.800, "iou": 0.680},
    "10%+generated": {"dice": 0.823, "iou": 0.710},
}
"""Table 6."""


def reported(name: str) -> dict[str, float]:
    """Return what the paper reports of an experiment's overlaps; nothing of those it lacks."""
    return SEGMENTATION.get(name) or FEWER.get(name) or {}
