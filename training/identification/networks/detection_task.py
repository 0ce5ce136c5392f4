"""Training the detection and segmentation network."""

import itertools
import math
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, device
from torch.optim import SGD, AdamW, Optimizer

from ....datasets.grid import Grid
from ....datasets.samples import Sampling
from ....simulator.errors import InputError
from ....simulator.ranges import Range
from ...runs.memory_format import arrange
from ...runs.settings import Settings
from ...runs.sources import Batch, Source
from ...runs.task import register
from ..metrics.detection import THRESHOLD, intersection_over_union, match
from .boxes import targets_of
from .detection_settings import MODELS, DetectSettings
from .detector import Detector
from .pretrained import load_pretrained


@register
class DetectTask:
    """Find units in sequences and outline them: see :class:`musim.training.runs.task.Task`.

    Parameters
    ----------
    settings : DetectSettings
    grid : Grid
        Of the sequences.

    Raises
    ------
    InputError
        If the network cannot take such sequences.

    Notes
    -----
    Frozen weights keep their gradients, as 0, so that processes in parallel need not know of them;
    their learning rate is 0, and their batch normalisation is that of the pretrained network.
    """

    name: ClassVar[str] = "detect"
    settings_class: ClassVar[type[Settings]] = DetectSettings
    models: ClassVar[Mapping[str, Mapping[str, Any]]] = MODELS
    source_class: ClassVar[Any] = Source
    score: ClassVar[str] = "f1"
    higher_is_better: ClassVar[bool] = True

    def __init__(self, settings: DetectSettings, grid: Grid) -> None:
        self.settings, self.grid = settings, grid
        _check_shape(settings, grid.shape)
        self._size = grid.shape[1:]
        with _seeded(torch.device("cpu"), settings.seed):
            self.networks = Detector(settings)
        arrange(self.networks, settings.memory_format)
        self._fixed = False
        for parameter in self.networks.backbone.body.parameters():
            parameter.register_hook(self._without_fixed)

    def check(self, source: Source) -> None:
        """Raise InputError unless this task can be trained on what `source` gives."""
        if not self.grid.fits(source.grid):
            raise InputError(
                f"grid: found sequences of {source.grid}, wanted {self.grid}; simulate such ones"
            )
        store = source.open_with_truth()
        s = self.settings
        early, late = (
            s.snr if s.noise_from > 0 else "",
            s.noise_snr if s.noise_from < s.steps else "",
        )
        for snr in (early, late, s.validation_snr):
            if store is not None and snr:
                Sampling(snr=Range.parse(snr)).check(store)

    def optimisers(self) -> dict[str, Optimizer]:
        """Return a new optimiser of all weights; those of the residual network form a group."""
        s = self.settings
        body = list(self.networks.backbone.body.parameters())
        ours = {id(parameter) for parameter in body}
        rest = [each for each in self.networks.parameters() if id(each) not in ours]
        groups: list[dict[str, Any]] = [{"params": rest}, {"params": body}]
        if s.optimiser == "sgd":
            optimiser: Optimizer = SGD(
                groups, s.learning_rate, momentum=s.momentum, weight_decay=s.weight_decay
            )
        else:
            optimiser = AdamW(
                groups, s.learning_rate, betas=(s.momentum, 0.999), weight_decay=s.weight_decay
            )
        return {"detector": optimiser}

    def prepare(self, step: int, optimisers: Mapping[str, Optimizer]) -> None:
        """Make ready for a step; before the first one, load the weights to begin with."""
        s = self.settings
        if step == 0 and s.pretrained != "none":
            load_pretrained(self.networks)
        self._fixed = s.pretrained != "none" and step < s.frozen
        self.networks.train()
        if self._fixed:
            self.networks.backbone.body.eval()
        rest, body = optimisers["detector"].param_groups
        rest["lr"] = rate_at(s, step)
        body["lr"] = 0.0 if self._fixed else rest["lr"]

    def batches(
        self, source: Source, step: int, *, rank: int, ranks: int, device: device
    ) -> Iterator[Batch]:
        """Yield this process's share of the batches of training, from step `step` on, for ever."""
        s = self.settings
        if s.batch_size % ranks:
            raise InputError(
                f"batch_size: found {s.batch_size} for {ranks} processes, wanted a multiple"
            )
        while True:
            early = step < s.noise_from
            made = source.batches(
                step,
                batch_size=s.batch_size // ranks,
                seed=s.seed,
                snr=s.snr if early else s.noise_snr,
                flips=tuple(axis for axis in s.flips.split(",") if axis),
                rank=rank,
                ranks=ranks,
                device=device,
            )
            # A generator, so that closing it ends whatever makes batches ahead.
            with closing(made):  # type: ignore[type-var]
                for batch in itertools.islice(made, s.noise_from - step if early else None):
                    yield _to(batch, device)
                    step += 1

    def losses(self, optimiser: str, batch: Batch, step: int, rank: int) -> dict[str, Tensor]:
        """Return the five losses of Mask R-CNN; which boxes they take is drawn by the step."""
        targets = targets_of(batch["territory"], batch["unit_mask"], self.settings.fewest_pixels)
        features = self.networks.features(batch["tvi"])
        with _seeded(batch["tvi"].device, self.settings.seed, step, rank):
            return self.networks.losses(features, self._size, targets)

    def clip(self, optimiser: str) -> float:
        """Return the norm to which gradients are clipped; 0: not at all."""
        return self.settings.gradient_norm

    def extra(self) -> dict[str, Any]:
        """Nothing but the networks has to be saved."""
        return {}

    def load_extra(self, state: Mapping[str, Any]) -> None:
        """There is nothing to take."""

    @torch.no_grad()
    def validate(self, source: Source, device: device) -> dict[str, float]:
        """Return measures on sequences that are never trained on.

        Returns
        -------
        dict of float
            ``precision``, ``recall`` and their harmonic mean ``f1``, over all units of all
            sequences together, of matches with IoU above 0.5; ``iou``, the matches' mean;
            ``loss``, the mean sum of losses, and each loss.
        """
        s = self.settings
        self.networks.eval()
        found = true = 0
        overlaps: list[float] = []
        losses: list[dict[str, float]] = []
        made = source.validation(
            s.validation_batches, batch_size=s.batch_size, seed=s.seed, snr=s.validation_snr,
            device=device,
        )  # fmt: skip
        for number, batch in enumerate(made):
            moved = _to(batch, device)
            features = self.networks.features(moved["tvi"])
            targets = targets_of(moved["territory"], moved["unit_mask"], s.fewest_pixels)
            detections = self.networks.detections(features, self._size)
            with _seeded(device, s.seed, number):
                parts = self.networks.losses(features, self._size, targets)
            losses.append({name: float(value) for name, value in parts.items()})
            for (masks, scores), target in zip(detections, targets, strict=True):
                matching = match(
                    intersection_over_union(
                        (masks > s.mask_threshold).cpu().numpy(),
                        target["masks"].bool().cpu().numpy(),
                    ),
                    scores.cpu().numpy(),
                    THRESHOLD,
                )
                found, true = found + matching.predictions, true + matching.units
                overlaps.extend(matching.iou.tolist())
        if not losses:
            raise InputError("validation: found no sequence, wanted 1 or more; use a larger store")
        means = {name: float(np.mean([each[name] for each in losses])) for name in losses[0]}
        return {
            "f1": 2 * len(overlaps) / max(found + true, 1),
            "precision": len(overlaps) / max(found, 1),
            "recall": len(overlaps) / max(true, 1),
            "iou": float(np.mean(overlaps)) if overlaps else 0.0,
            "loss": sum(means.values()),
            **means,
        }

    @torch.no_grad()
    def detect(self, tvi: Tensor) -> tuple[Tensor, Tensor]:
        """Return the units found in a sequence, the surest first.

        Parameters
        ----------
        tvi : float tensor of shape (time, depth, width)
            mm/s, of this task's grid, on the networks' device.

        Returns
        -------
        masks : float32 tensor of shape (unit, depth, width)
            Memberships, 0..1.
        scores : float32 tensor of shape (unit,)
            0..1, falling.

        Raises
        ------
        InputError
            If the sequence is not of this task's grid.
        """
        if tuple(tvi.shape) != self.grid.shape:
            raise InputError(
                f"sequence: found {tuple(tvi.shape)}, wanted frames, depth and width "
                f"{self.grid.shape}"
            )
        self.networks.eval()
        return self.networks.detections(self.networks.features(tvi[None]), self._size)[0]

    def _without_fixed(self, gradient: Tensor) -> Tensor:
        # Left as they are, gradients of fixed weights would count where gradients are clipped, and
        # would add up in the optimiser.
        return torch.zeros_like(gradient) if self._fixed else gradient


def rate_at(settings: DetectSettings, step: int) -> float:
    """Return the learning rate of a step."""
    s = settings
    rising = min(1.0, (step + 1) / (s.warm_up + 1))
    if s.schedule == "cosine":
        return s.learning_rate * rising * 0.5 * (1 + math.cos(math.pi * min(step / s.steps, 1.0)))
    return s.learning_rate * rising * 0.1 ** sum(step >= drop for drop in s.drops)


def _check_shape(settings: DetectSettings, shape: tuple[int, int, int]) -> None:
    frames, depth, width = shape
    if frames != settings.frames:
        raise InputError(
            f"frames: found {frames}, wanted {settings.frames}, which front_stride and front_pools "
            "make one of; simulate such sequences, or set these two"
        )
    for name, size, stride in zip(
        ("depth", "width"), (depth, width), settings.front_stride[1:], strict=True
    ):
        # Levels halve; the anchors of each stand in the middle of whole pixels.
        whole = stride * 2 ** len(settings.blocks)
        if size % whole:
            raise InputError(
                f"{name}: found {size} px, wanted a multiple of {whole}; simulate such sequences, "
                "or set front_stride and blocks"
            )


def _to(batch: Batch, where: device) -> Batch:
    return {name: value.to(where, non_blocking=True) for name, value in batch.items()}


@contextmanager
def _seeded(where: device, *numbers: int) -> Iterator[None]:
    """Let torch draw from numbers that depend on `numbers` alone, and leave its own untouched."""
    seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
    devices = [where] if where.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed % 2**63)
        yield
