"""What scripts of the documentation draw is shown beneath the block that drew it.

A figure of ``musim.plot`` is no figure of pyplot, and needs none: it is shown where it is the value
of a block's last line, as notebooks show it, and so is a movie. Those of pyplot Sphinx-Gallery
shows itself.
"""

import multiprocessing
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

from musim.cli.pictures.panels import Drawing
from musim.plot import Movie

NOT_TOLD = r"Drawing|Movie|Figure"
"""Types of values that are shown, and so not printed."""

SHOWN = "musim_shown"
"""Where a script's variables keep what was shown of it."""


def show_drawings(block: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Return the figure or movie that is the value of a block, as reStructuredText.

    Parameters
    ----------
    block
        Of the script; not looked at.
    variables : dict
        Of Sphinx-Gallery, about the script.
    settings : dict
        Of Sphinx-Gallery.
    """
    value = variables["example_globals"].get("___")
    # The value of an earlier block stays where this one has none.
    if value is variables.get(SHOWN) or not isinstance(value, Drawing | Movie):
        return ""
    variables[SHOWN] = value
    path = Path(next(variables["image_path_iterator"]))
    if isinstance(value, Movie):
        value.save(path := path.with_suffix(".gif"))
        return figure_rst([path], settings["src_dir"], value.title)
    value.savefig(path, dpi=value.dpi)
    title = value.get_suptitle() or next((text.get_text() for text in value.texts), "")
    return figure_rst([path], settings["src_dir"], title)


def start_processes_as_scripts_do(settings: dict[str, Any], name: str) -> None:
    """Let a script start processes of its own, also where joblib runs it beside another.

    joblib's processes name a way of starting others that is known to joblib alone; those that a
    script starts would end at once.
    """
    multiprocessing.set_start_method("spawn", force=True)
