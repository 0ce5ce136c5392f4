"""What units that were found are in the light of the true ones, as pages have it."""

from typing import Any

from ...datasets.store import Store
from ...training.identification.metrics import score
from ...training.identification.verdicts import judge
from .units import FEWEST_PIXELS


def judged(
    found: tuple[Store, int], true: tuple[Store, int], kept: list[int] | None = None
) -> dict[str, Any]:
    """Compare the units found in a sequence with the true ones, by their trains.

    Parameters
    ----------
    found, true : (Store, int)
        A store of units, and its sequence.
    kept : list of int, optional
        Which units found count; all, if not given.

    Returns
    -------
    dict
        ``found``: of each unit found ``words``, and of one whose train matches ``partner`` (the
        true unit), ``correlation``, ``iou`` and ``agreement`` of the firings. ``true``: by the
        number of each true unit in view ``words`` and ``partner``. ``recall`` and ``precision`` of
        trains; ``matches``.
    """
    masks, trains, firings = _read(*found)
    true_masks, true_trains, true_firings = _read(*true)
    store, index = found
    confidence = store.read("confidence", index)[: len(masks)]
    everyone = len(masks)
    places = list(range(everyone)) if kept is None else kept
    masks, trains, firings, confidence = (
        values[places] for values in (masks, trains, firings, confidence)
    )
    scored = score(
        masks, trains, firings, confidence, true_masks, true_trains, true_firings,
        store.layout.frame_rate,
    )  # fmt: skip
    verdicts, fates = judge(scored, masks, true_masks)
    row = scored.to_row()
    told: list[dict[str, Any]] = [{"words": "left out", "partner": None} for _ in range(everyone)]
    for place, one in zip(places, verdicts, strict=True):
        told[place] = {
            "words": one.words,
            "partner": one.partner,
            "correlation": one.correlation,
            "iou": one.iou,
            "agreement": one.firing_agreement,
        }
    return {
        "found": told,
        "true": {
            str(number): {
                "words": fate.words,
                "partner": None if fate.found_as is None else places[fate.found_as],
            }
            for number, fate in fates.items()
        },
        "matches": int(row["train_matches"]),
        "recall": row["train_recall"],
        "precision": row["train_precision"],
    }


def _read(store: Store, index: int) -> tuple[Any, Any, Any]:
    count = int(store.read("unit_count", index))
    masks = store.read("territory", index)[:count] > FEWEST_PIXELS
    return masks, store.read("twitch_train", index)[:count], store.read("firing", index)[:count]
