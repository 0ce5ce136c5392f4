"""Methods that find units in a recording, behind one interface.

A method takes a recording, and the truth if it has to know it, and returns the units it finds:

- ``ica``: independent components that both halves of the recording hold, an outline for each from
  its own map, whatever the tissue does; where units are seen to move as they are, independent
  components of the image's gradients.
- ``refine``, or ``ica+refine``: the same, but where units are seen to move as they are, trains and
  those seen across the edges of territories are fitted in turn with territories until they agree
  with the recording, and the better explanation is kept; ``edges+refine`` is that last step alone,
  from edges. What another method found is refined by :func:`.refine.refine`.
- ``network``: a trained detector and a trained estimator of twitch trains (Ali et al. 2020).
- ``oracle-territories``, ``oracle-trains``: one half of the truth is given, the other is fitted:
  the most that methods of this family could reach.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol

from ....simulator.errors import InputError
from ....simulator.sequence import Truth
from ..explanation import explained
from ..slow_motion import without_slow_motion
from ..units import Recording, Units


class Method(Protocol):
    """What every method is: a function from a recording to units."""

    def __call__(self, recording: Recording, truth: Truth | None = None) -> Units:
        """Find units in `recording`; only oracles look at `truth`."""
        ...


def _lazily(load: Callable[[], Method]) -> Method:
    """Put the import of a method off until it is used."""

    def method(recording: Recording, truth: Truth | None = None) -> Units:
        return load()(recording, truth)

    return method


def _ica() -> Method:
    from .ica import ica

    return ica


def _refine() -> Method:
    from .refine import ica_and_refine

    return ica_and_refine


def _edges() -> Method:
    from .refine import edges_and_refine

    return edges_and_refine


def _network() -> Method:
    from .network import network, resolve

    def method(recording: Recording, truth: Truth | None = None) -> Units:
        return network(recording, resolve(()))

    return method


def _oracle(known: str) -> Callable[[], Method]:
    def load() -> Method:
        from .oracle import oracle

        return oracle(known)

    return load


METHODS: dict[str, Method] = {
    "ica": _lazily(_ica),
    "refine": _lazily(_refine),
    "ica+refine": _lazily(_refine),
    "edges+refine": _lazily(_edges),
    "network": _lazily(_network),
    "oracle-territories": _lazily(_oracle("territories")),
    "oracle-trains": _lazily(_oracle("trains")),
}
"""The methods by name."""


def identify(
    recording: Recording,
    method: str = "refine",
    *,
    truth: Truth | None = None,
    runs: Sequence[str] = (),
) -> Units:
    """Find the units in a recording.

    Parameters
    ----------
    recording : Recording
    method : str
        One of :data:`METHODS`.
    truth : Truth, optional
        What oracles are given.
    runs : sequence of str
        Runs of ``musim train`` that ``network`` takes in place of those that come with musim.

    Returns
    -------
    Units
        The most certain first; none where there is nothing but noise.

    Raises
    ------
    InputError
        If the method is unknown, lacks the truth, or units cannot be sought in the recording.
    """
    if method not in METHODS:
        raise InputError(f"method: found {method!r}, wanted one of {', '.join(METHODS)}")
    recording, taken = without_slow_motion(recording)
    if runs:
        from .network import network, resolve

        units = network(recording, resolve(runs))
    else:
        units = METHODS[method](recording, truth)
    if taken:
        units = dataclasses.replace(units, remarks=("slow-motion-removed", *units.remarks))
    return explained(recording, units)
