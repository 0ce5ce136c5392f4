"""Tables 4 to 6 of Katakis et al. 2023, from what networks found in test images."""

from collections.abc import Mapping, Sequence
from typing import Any

from .experiments import Experiment
from .paper import THICKNESS_MM, reported
from .scoring import OVERLAPS, THICKNESS


def segmentation_rows(
    todo: Sequence[Experiment],
    trained_on: Mapping[str, int],
    summaries: Mapping[str, Mapping[str, float]],
) -> list[dict[str, Any]]:
    """Return the rows of Tables 4 and 6: overlaps, and beside them those that the paper reports."""
    return [
        {
            "experiment": each.name,
            "table": each.table,
            "trained_on": trained_on[each.name],
            "images": summaries[each.name]["images"],
            **{key: summaries[each.name][key]
               for name in OVERLAPS for key in (name, f"{name}_sd")},
            **{f"paper_{name}": reported(each.name).get(name, float("nan"))
               for name in OVERLAPS},
        }
        for each in todo
    ]  # fmt: skip


def thickness_rows(
    todo: Sequence[Experiment], summaries: Mapping[str, Mapping[str, float]]
) -> list[dict[str, Any]]:
    """Return the rows of Table 5, of all experiments: thickness in pixels of depth.

    ``error`` is the median of what thickness is off, as a share of that drawn by hand. The paper's
    are in millimetres, which images without a scale do not have.
    """
    rows = []
    for each in todo:
        paper = THICKNESS_MM.get(each.name, {})
        rows.append({
            "experiment": each.name,
            **{key: summaries[each.name][key] for key in ("drawn", "measured", *THICKNESS)},
            **{f"paper_{key}_mm": paper.get(key, float("nan"))
               for key in ("manual", "automatic", "rmse")},
        })  # fmt: skip
    return rows
