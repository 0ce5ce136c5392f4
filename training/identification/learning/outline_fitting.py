"""The network that outlines units, fitted to examples."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from ..methods.learned.outlines import DILATIONS, IMAGE, VIEWS, Layer, Outliner, expected_overlap
from ..metrics.calibration import calibration_error
from .outlines import STEPS, Outlines
from .settings import JudgeSettings

PIXELWISE = 0.3
"""Weight of the cross entropy of places, a unit's place, beside the overlap that is lost."""

MOST_PIXELWISE = 10.0
"""Cross entropy counts up to this: a unit that was taken for another teaches nothing more."""

FEWEST = 5.0
"""Places that a territory has at least where cross entropy is divided by them."""

SHIFT = 3
"""Places by which units are moved from the middle, at most."""

BATCH = 32

RIGHT = 0.5
"""Intersection over union above which an outline is right."""

STEEP = 3.0
"""Log odds at a map's peak before anything is learned; their negative where nothing is seen."""

FARTHEST = 20.0
"""Pull of the certainty's constants to 0 begins to count where they are of this size."""


def fit_outlines(
    learned: Outlines,
    apart: Outlines,
    settings: JudgeSettings,
    on_epoch: Callable[[dict[str, float]], None] = lambda row: None,
) -> Outliner:
    """Return the network that outlines units best.

    Parameters
    ----------
    learned, apart : Outlines
        Those that are learned from, and those that tell how certain outlines are.
    settings : JudgeSettings
        With its seed it decides all that is random.
    on_epoch : callable
        Called after each epoch with its ``loss`` and its ``loss_apart``.

    Returns
    -------
    Outliner
    """
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence([settings.seed, 99]).generate_state(1)[0]))
        # Sums in another order have other last digits.
        torch.set_num_threads(1)
        try:
            network = _Network(settings.outline_channels).to(memory_format=torch.channels_last)
            _learn(network, learned, apart, settings, on_epoch)
        finally:
            torch.set_num_threads(threads)
    # Its numbers are kept in few digits; what is measured is what is kept.
    found = Outliner.from_json(Outliner(network.layers(), (0.0, 0.0)).to_json())
    expected, overlap = _overlaps(found, apart)
    certainty = _certainty(expected, overlap > RIGHT)
    return Outliner.from_json(Outliner(found.layers, certainty).to_json())


def measured(outliner: Outliner, units: Outlines) -> dict[str, float]:
    """Return how good outlines of units are.

    Returns
    -------
    dict
        ``units``: their number; ``overlap``: intersection over union with their territories, in the
        mean; ``right``: share in which it exceeds 0.5; ``calibration_error``: of how sure that is.
    """
    expected, overlap = _overlaps(outliner, units)
    right = (overlap > RIGHT).astype(np.float64)
    return {
        "units": len(units),
        "overlap": float(overlap.mean()),
        "right": float(right.mean()),
        "calibration_error": calibration_error(outliner.confidence(expected), right),
    }


class _Network(torch.nn.Module):
    """Layers of 3 x 3 places, and a last one of what they give and of the views."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = [len(VIEWS), *[channels] * len(DILATIONS)]
        self.wide = [
            torch.nn.Conv2d(one, two, 3, padding=dilation, dilation=dilation)
            for (one, two), dilation in zip(pairwise(widths), DILATIONS, strict=True)
        ]
        self.last = torch.nn.Conv2d(channels + len(VIEWS), 1, 1)
        self.all = torch.nn.ModuleList([*self.wide, self.last])
        # It begins as what is above half its peak.
        with torch.no_grad():
            self.last.weight[0, channels + VIEWS.index("smooth")] = 2 * STEEP
            bias = torch.full((1,), -STEEP)
            self.last.bias = torch.nn.Parameter(bias)

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Return log odds (unit, depth, width) for views (unit, view, depth, width)."""
        values = views
        for layer in self.wide:
            values = torch.relu(layer(values))
        return self.last(torch.cat([values, views], dim=1))[:, 0]

    def layers(self) -> tuple[Layer, ...]:
        """Return weights and biases as :class:`Outliner` has them."""
        return tuple(
            (np.ascontiguousarray(part.weight.detach().permute(2, 3, 1, 0).numpy()),
             part.state_dict()["bias"].numpy())
            for part in (*self.wide, self.last)
        )  # fmt: skip


def _learn(
    network: _Network,
    learned: Outlines,
    apart: Outlines,
    settings: JudgeSettings,
    on_epoch: Callable[[dict[str, float]], None],
) -> None:
    rate, epochs = settings.outline_learning_rate, settings.outline_epochs
    batches = -(-len(learned) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * batches)
    for _ in range(epochs):
        total = 0.0
        for views, true in _batches(learned):
            loss = _loss(network(views), true, views[:, IMAGE])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(views)
        with torch.no_grad():
            now = sum(
                float(_loss(network(views), true, views[:, IMAGE])) * len(views)
                for views, true in _parts(apart, torch.arange(len(apart)))
            )
        on_epoch({"loss": total / len(learned), "loss_apart": now / len(apart)})


def _batches(learned: Outlines) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield units in an order by chance, mirrored in width and moved a little by chance."""
    for views, true in _parts(learned, torch.randperm(len(learned))):
        mirrored = torch.rand(()) < 0.5
        shift = tuple(torch.randint(-SHIFT, SHIFT + 1, (2,)).tolist())
        moved, answer = (
            (each.flip(-1) if mirrored else each).roll(shift, (-2, -1)) for each in (views, true)
        )
        yield moved.contiguous(memory_format=torch.channels_last), answer


def _parts(units: Outlines, order: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield views and territories of some units after others."""
    for chosen in order.split(BATCH):
        views = torch.from_numpy(units.views[chosen.numpy()].astype(np.float32))
        true = torch.from_numpy(units.territory[chosen.numpy()].astype(np.float32) / STEPS)
        yield views, true


def _loss(odds: torch.Tensor, true: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Return the overlap that is lost, and a little of each place's cross entropy."""
    sure = torch.sigmoid(odds) * image
    common = (sure * true).sum((1, 2))
    either = sure.sum((1, 2)) + true.sum((1, 2)) - common
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(odds, true, reduction="none")
    places = (entropy * image).sum((1, 2)) / true.sum((1, 2)).clamp(min=FEWEST)
    lost = 1 - common / (either + 1e-6)
    return (lost + PIXELWISE * places.clamp(max=MOST_PIXELWISE)).mean()


def _overlaps(
    outliner: Outliner, apart: Outlines
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the overlaps that are expected of outlines, and those that they have."""
    views = apart.views.astype(np.float32)
    odds = outliner.odds(views)
    expected = expected_overlap(odds, views[:, IMAGE])
    found = (odds > 0) & (views[:, IMAGE] > 0.5)
    true = apart.territory > STEPS / 2
    either = np.maximum((found | true).sum(axis=(1, 2)), 1)
    return expected, np.asarray((found & true).sum(axis=(1, 2)) / either)


def _certainty(expected: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the constants of the log odds that outlines are right, by what is expected of them."""
    import scipy.optimize

    def loss(values: NDArray[np.float64]) -> float:
        odds = values[0] + values[1] * expected
        off = np.logaddexp(0, np.where(right, -odds, odds)).sum()
        return float(off + np.square(values / FARTHEST).sum())

    first, second = scipy.optimize.minimize(loss, np.zeros(2)).x
    return float(first), float(second)
