"""Figures of sequences, units and evaluations: what previews and reports show, for notebooks.

Each function takes a store, or its place, and the number of a sequence, and returns a matplotlib
``Figure``, which a notebook shows where it is the value of a cell and ``figure.savefig("it.png")``
writes. Those of one panel take ``axes=``, and draw where you want them. No window is opened, and no
state of pyplot is touched.

A sequence
    preview         all of it: frames, territories over the map of velocity, trains with firings
    frames          the velocity at some instants
    territories     the map of velocity with outlines of units
    trains          twitch trains with firings
    firings         firings, and the rate of each interval
    unit            one unit: its place, train, twitch and intervals
    movie           its motion, as a GIF in memory or a file

What was found
    found           units found beside the true ones
    explained       how much moves, how much of it units explain, and what they leave
    scores          a figure of an evaluation
    score_names     which figures of an evaluation there are

The first six and ``movie`` take a truth as well, as ``musim.draw`` gives it, with the
``parameters=`` that it was drawn with.

Examples
--------
>>> import musim
>>> parameters = musim.Parameters(units=3, frames=80)
>>> truth = musim.draw(parameters, seed=7)
>>> figure = musim.plot.trains(truth, units=[0, 2], time=(0, 0.1), parameters=parameters)
>>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
['0', '2']
"""

# An installed musim has its packages within this one. A checkout has them elsewhere, where pyright
# does not find them.
# pyright: reportMissingImports=false

from musim.cli.plot.evaluations import score_names, scores
from musim.cli.plot.firings import firings, unit
from musim.cli.plot.movies import Movie, movie
from musim.cli.plot.results import explained, found
from musim.cli.plot.sequences import frames, preview, territories, trains

__all__ = [
    "Movie",
    "explained",
    "firings",
    "found",
    "frames",
    "movie",
    "preview",
    "score_names",
    "scores",
    "territories",
    "trains",
    "unit",
]
