"""Training the detection and segmentation network."""

import itertools
import math
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, device
from torch.optim import SGD, AdamW, Optimizer

from ....datasets.samples import Sampling
from ....simulator.errors import InputError
from ....simulator.ranges import Range
from ...runs.grid import Grid
from ...runs.settings import Settings, setting
from ...runs.sources import Batch, Source
from ..metrics.detection import THRESHOLD, intersection_over_union, match
from .detector import BLOCKS, Detector, load_pretrained, targets_of

FLIPS = ("", "depth", "width", "depth,width")


@dataclass(frozen=True, kw_only=True)
class DetectSettings(Settings):
    """Settings of :class:`DetectTask`; the defaults are those of Ali et al. 2020, section III.B
    (doi:10.1109/ACCESS.2020.3023495), and of the Mask R-CNN that it builds upon
    (https://github.com/matterport/Mask_RCNN, mrcnn/config.py) where it keeps that one's.
    """  # noqa: D205

    steps: int = setting(600_000, "Batches in all.", bounds=(1, 10**9))
    validate_every: int = setting(1000, "Batches between validations.", bounds=(1, 10**9))
    validation_batches: int = setting(125, "Batches of a validation.", bounds=(1, 10**6))
    save_every: int = setting(1000, "Batches between checkpoints.", bounds=(1, 10**9))

    optimiser: str = setting("sgd", "How weights are moved.", choices=("sgd", "adamw"))
    learning_rate: float = setting(1e-3, "Learning rate at the beginning.", bounds=(0, 10))
    momentum: float = setting(0.9, "Of sgd; of adamw the first moment's.", bounds=(0, 0.9999))
    weight_decay: float = setting(1e-4, "Pull of weights to 0.", bounds=(0, 1))
    gradient_norm: float = setting(
        5.0, "Gradients are clipped to this norm; 0: not at all.", bounds=(0, 1e9)
    )
    schedule: str = setting(
        "drops", "How the rate falls: in drops to a tenth, or along a cosine to 0.",
        choices=("drops", "cosine"),
    )  # fmt: skip
    drops: tuple[int, ...] = setting(
        (20_000, 200_000), "Batches at which the rate drops.", bounds=(0, 10**9)
    )
    warm_up: int = setting(0, "Batches over which the rate rises from 0.", bounds=(0, 10**9))
    pretrained: str = setting(
        "coco", "Weights to begin with, of photographs.", choices=("coco", "none")
    )
    frozen: int = setting(
        20_000, "Batches during which pretrained weights of the residual network are kept.",
        bounds=(0, 10**9),
    )  # fmt: skip

    snr: str = setting("inf", "Noise until noise_from: SNR or range of it; empty: as it is.", "dB")
    noise_from: int = setting(500_000, "Batch from which noise_snr holds.", bounds=(0, 10**9))
    noise_snr: str = setting("10-30", "Noise from noise_from on, as snr.", "dB")
    validation_snr: str = setting("", "Noise of validation, as snr.", "dB")
    flips: str = setting("depth,width", "Axes along which stored sequences are mirrored at random.",
                         choices=FLIPS)  # fmt: skip
    fewest_pixels: int = setting(
        4, "Units of which fewer pixels are in the image are not sought.", "px", bounds=(1, 10**6)
    )

    front_maps: tuple[int, ...] = setting(
        (8, 16, 32, 64), "Feature maps of each layer of the front.", bounds=(1, 4096)
    )
    front_kernels: tuple[tuple[int, ...], ...] = setting(
        ((7, 7, 7), (7, 3, 3), (5, 3, 3), (5, 3, 3)), "Kernels: frames x depth x width.",
        "px", bounds=(1, 99),
    )  # fmt: skip
    front_stride: tuple[int, ...] = setting(
        (5, 2, 2), "Stride of the first layer: frames, depth, width.", "px", bounds=(1, 64)
    )
    front_pools: tuple[int, ...] = setting(
        (5, 4, 4), "Instants of which each later layer keeps the maximum.", bounds=(1, 1024)
    )
    block: str = setting("bottleneck", "Blocks of the residual network.", choices=tuple(BLOCKS))
    blocks: tuple[int, ...] = setting((3, 4, 23, 3), "Blocks of each stage.", bounds=(1, 99))
    backbone_maps: tuple[int, ...] = setting(
        (64, 128, 256, 512), "Feature maps inside the blocks of each stage.", bounds=(1, 4096)
    )
    pyramid_maps: int = setting(256, "Feature maps of the pyramid.", bounds=(1, 4096))
    anchors: tuple[tuple[int, ...], ...] = setting(
        ((4, 6, 8), (8, 11, 16), (16, 22, 32), (16, 22, 32), (16, 22, 32)),
        "Sides of the boxes that proposals begin with, of each level of the pyramid.",
        "px", bounds=(1, 4096),
    )  # fmt: skip
    anchor_ratios: tuple[float, ...] = setting(
        (1.0,), "Depth of those boxes over their width.", bounds=(0.05, 20)
    )
    anchor_overlap: tuple[float, ...] = setting(
        (0.3, 0.7), "IoU with a unit below which they are none, and from which they are it.",
        bounds=(0, 1),
    )  # fmt: skip
    anchor_samples: int = setting(256, "Boxes of a sequence that the losses of proposals take.",
                                  bounds=(2, 10**6))  # fmt: skip
    candidates: int = setting(2000, "Best proposals of each level.", bounds=(1, 10**6))
    proposal_nms: float = setting(
        0.7, "IoU with a better one above which a proposal is dropped.", bounds=(0, 1)
    )
    proposals_training: int = setting(2000, "Proposals kept in training.", bounds=(1, 10**6))
    proposals: int = setting(1000, "Proposals kept otherwise.", bounds=(1, 10**6))
    box_features: int = setting(1024, "Features of a box.", bounds=(1, 65536))
    box_samples: int = setting(200, "Boxes of a sequence that the losses take.", bounds=(1, 10**6))
    box_positive: float = setting(0.33, "Largest share of units among these.", bounds=(0, 1))
    mask_maps: tuple[int, ...] = setting(
        (256, 256, 256, 256), "Feature maps of each layer that outlines.", bounds=(1, 4096)
    )
    score_threshold: float = setting(0.7, "Score above which a unit is found.", bounds=(0, 1))
    nms: float = setting(
        0.3, "IoU of boxes with a better one above which a unit is dropped.", bounds=(0, 1)
    )
    detections: int = setting(100, "Most units found in a sequence.", bounds=(1, 10**6))
    mask_threshold: float = setting(
        0.5, "Membership above which a pixel is counted as the unit's.", bounds=(0, 1)
    )

    def __post_init__(self) -> None:
        """Check every value, and that they go with one another."""
        super().__post_init__()
        for name in ("snr", "noise_snr", "validation_snr"):
            if getattr(self, name):
                Range.parse(getattr(self, name))
        layers, stages = len(self.front_maps), len(self.blocks)
        for name, wanted in (
            ("front_maps", max(layers, 1)),
            ("front_kernels", layers),
            ("front_stride", 3),
            ("front_pools", layers - 1),
            ("blocks", max(stages, 1)),
            ("backbone_maps", stages),
            ("anchors", stages + 1),
            ("anchor_ratios", max(len(self.anchor_ratios), 1)),
            ("anchor_overlap", 2),
            ("mask_maps", max(len(self.mask_maps), 1)),
        ):
            if len(getattr(self, name)) != wanted:
                raise InputError(
                    f"{name}: found {len(getattr(self, name))} values, wanted {wanted}"
                )
        for kernel in self.front_kernels:
            if len(kernel) != 3 or not all(size % 2 for size in kernel):
                raise InputError(f"front_kernels: found {kernel}, wanted three odd sizes each")
        if len({len(sizes) for sizes in self.anchors}) != 1:
            raise InputError("anchors: found levels with more sizes than others, wanted as many")
        if self.anchor_overlap[0] > self.anchor_overlap[1]:
            raise InputError(f"anchor_overlap: found {self.anchor_overlap}, wanted the lower first")

        network = (self.block, self.blocks, self.backbone_maps, self.front_maps[-1])
        resnet = ("bottleneck", (3, 4, 23, 3), (64, 128, 256, 512), 64)
        if self.pretrained != "none" and (network, self.pyramid_maps) != (resnet, 256):
            raise InputError(
                "pretrained: found coco for a network of other sizes than the paper's, wanted none"
            )

    @property
    def frames(self) -> int:
        """Frames of a sequence, of which the front leaves one."""
        return self.front_stride[0] * math.prod(self.front_pools)


MODELS: dict[str, dict[str, Any]] = {
    "paper": {},
    "small": {
        "steps": 6000,
        "batch_size": 4,
        "validate_every": 500,
        "validation_batches": 15,
        "save_every": 250,
        "log_every": 50,
        "optimiser": "adamw",
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "warm_up": 100,
        "pretrained": "none",
        "weight_decay": 1e-2,
        "noise_from": 0,
        "validation_snr": "10-30",
        "front_maps": (8, 16, 32, 32),
        "front_kernels": ((11, 5, 5), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
        "front_stride": (10, 2, 2),
        "front_pools": (5, 4, 2),
        "block": "basic",
        "blocks": (1, 1, 1),
        "backbone_maps": (32, 64, 128),
        "pyramid_maps": 64,
        "anchors": ((5, 8), (11, 16), (16, 22), (16, 22)),
        "candidates": 300,
        "proposals_training": 200,
        "proposals": 100,
        "box_features": 128,
        "box_samples": 64,
        "mask_maps": (32, 32),
        "score_threshold": 0.5,
        "nms": 0.5,
    },
}
"""What differs from the paper's settings, by the model's name; ``small`` is for one processor."""


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
    score: ClassVar[str] = "f1"
    higher_is_better: ClassVar[bool] = True

    def __init__(self, settings: DetectSettings, grid: Grid) -> None:
        self.settings, self.grid = settings, grid
        _check_shape(settings, grid.shape)
        self._size = grid.shape[1:]
        with _seeded(torch.device("cpu"), settings.seed):
            self.networks = Detector(settings)
        self._fixed = False
        for parameter in self.networks.backbone.body.parameters():
            parameter.register_hook(self._without_fixed)

    def check(self, source: Source) -> None:
        """Raise InputError unless this task can be trained on what `source` gives."""
        if not self.grid.fits(source.grid):
            raise InputError(
                f"grid: found sequences of {source.grid}, wanted {self.grid}; simulate such ones"
            )
        store = source.open()
        if store is not None and not store.has_truth:
            raise InputError(
                f"source: found no units in {store.location}, wanted a store with truth; simulate "
                "one with `musim generate`"
            )
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
