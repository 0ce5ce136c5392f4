"""Names of a store's attributes, and how values go into them and back."""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ...simulator.imaging.chain import FIRST_REVISION

Attributes = Mapping[str, Any]
"""Those of a store's root: texts, numbers and lists of numbers by name."""

ORIGIN, VERSION = "musim_origin", "musim_origin_version"
REVISION = "musim_revision"
SOFTWARE = "musim_software"
PARAMETERS, SEED, DOSES = "musim_parameters", "musim_seed", "musim_doses"
DOMAIN, MUSCLE = "musim_domain", "musim_muscle"
GROUPED_BY = "musim_grouped_by"
SOURCES, DESCRIPTIONS, CHAIN = "musim_sources", "musim_descriptions", "musim_chain"
METHOD, RUNS, REMARKS = "musim_method", "musim_runs", "musim_remarks"
SETTINGS, EVENTS = "musim_settings", "musim_events"
FIRINGS = "musim_firings"
MIN_CONFIDENCE, EPOCHS = "musim_min_confidence", "musim_epochs"
USUAL_METHOD = "musim_usual_method"
TRANSLATED_FROM = "musim_translated_from"
SAMPLED_FROM = "musim_sampled_from"
EXTRACTED_FROM = "musim_extracted_from"
TASK_NAMES = "musim_tasks"
SLICING = "musim_slicing"
CURATION = "musim_curation"
FORMAT_VERSION, KIND, PART_SIZE = "musim_format_version", "musim_kind", "musim_part_size"
FRAME_RATE, PIXEL_SIZE = "musim_frame_rate", "musim_pixel_size"
PIXEL_UNIT = "musim_pixel_unit"
SAMPLE_RATE = "musim_sample_rate"
MEAN, SD = "musim_mean", "musim_sd"
SEALED = "musim_sealed"
"""Proof of what was added to a finished store; see :mod:`.sealing`."""

JSON_TEXTS = (PARAMETERS, DOSES, SOURCES, DESCRIPTIONS, CHAIN, RUNS, SETTINGS, EVENTS,
              TRANSLATED_FROM, SAMPLED_FROM, EXTRACTED_FROM, SLICING, CURATION,
              SOFTWARE)  # fmt: skip
"""Attributes that hold JSON as text."""


def software_versions(*libraries: str) -> dict[str, str]:
    """Return the versions that a store's values depend on.

    Parameters
    ----------
    *libraries : str
        Distributions beside those that every store depends on; left out where not installed.
    """
    found = {}
    for name in ("musim", "numba", "numpy", "scipy", "zarr", *libraries):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            if name not in libraries:
                found[name] = "unknown"
    return found


def revision_of(attributes: Attributes) -> int:
    """Return the revision of what made a store's values; the first one, where it is not said."""
    return int(attributes.get(REVISION, FIRST_REVISION))


def revised(revision: int) -> dict[str, int]:
    """Return the attributes that :func:`revision_of` reads."""
    return {} if revision == FIRST_REVISION else {REVISION: revision}


def text_of(values: Any) -> str:
    """Return plain values as JSON, as attributes hold them."""
    return json.dumps(values, sort_keys=True)


_REQUIRED: Any = object()


def value_of(attributes: Attributes, name: str, default: Any = _REQUIRED) -> Any:
    """Return what :func:`text_of` made of an attribute; where there is none, `default` if given."""
    if name not in attributes and default is not _REQUIRED:
        return default
    return json.loads(str(attributes[name]))


def software_of(attributes: Attributes) -> dict[str, str]:
    """Return the versions of what made a store; none where they are not said."""
    return value_of(attributes, SOFTWARE, {})
