"""Settings of the detector: those of the paper, and what one processor trains."""

import math
from dataclasses import dataclass
from typing import Any

from ....simulator.declarations import declare
from ....simulator.errors import InputError
from ....simulator.ranges import Range
from ...runs.settings import Settings
from .residual import BLOCKS

FLIPS = ("", "depth", "width", "depth,width")


@dataclass(frozen=True, kw_only=True)
class DetectSettings(Settings):
    """Settings of :class:`DetectTask`; the defaults are those of Ali et al. 2020, section III.B
    (doi:10.1109/ACCESS.2020.3023495), and of the Mask R-CNN that it builds upon
    (https://github.com/matterport/Mask_RCNN, mrcnn/config.py) where it keeps that one's.
    """  # noqa: D205

    steps: int = declare(600_000, "Batches in all.", bounds=(1, 10**9))
    validate_every: int = declare(1000, "Batches between validations.", bounds=(1, 10**9))
    validation_batches: int = declare(125, "Batches of a validation.", bounds=(1, 10**6))
    save_every: int = declare(1000, "Batches between checkpoints.", bounds=(1, 10**9))

    optimiser: str = declare("sgd", "How weights are moved.", choices=("sgd", "adamw"))
    learning_rate: float = declare(1e-3, "Learning rate at the beginning.", bounds=(0, 10))
    momentum: float = declare(0.9, "Of sgd; of adamw the first moment's.", bounds=(0, 0.9999))
    weight_decay: float = declare(1e-4, "Pull of weights to 0.", bounds=(0, 1))
    gradient_norm: float = declare(
        5.0, "Gradients are clipped to this norm; 0: not at all.", bounds=(0, 1e9)
    )
    schedule: str = declare(
        "drops", "How the rate falls: in drops to a tenth, or along a cosine to 0.",
        choices=("drops", "cosine"),
    )  # fmt: skip
    drops: tuple[int, ...] = declare(
        (20_000, 200_000), "Batches at which the rate drops.", bounds=(0, 10**9)
    )
    warm_up: int = declare(0, "Batches over which the rate rises from 0.", bounds=(0, 10**9))
    pretrained: str = declare(
        "coco", "Weights to begin with, of photographs.", choices=("coco", "none")
    )
    frozen: int = declare(
        20_000, "Batches during which pretrained weights of the residual network are kept.",
        bounds=(0, 10**9),
    )  # fmt: skip

    snr: str = declare("inf", "Noise until noise_from: SNR or range of it; empty: as it is.", "dB")
    noise_from: int = declare(500_000, "Batch from which noise_snr holds.", bounds=(0, 10**9))
    noise_snr: str = declare("10-30", "Noise from noise_from on, as snr.", "dB")
    validation_snr: str = declare("", "Noise of validation, as snr.", "dB")
    flips: str = declare("depth,width", "Axes along which stored sequences are mirrored at random.",
                         choices=FLIPS)  # fmt: skip
    fewest_pixels: int = declare(
        4, "Units of which fewer pixels are in the image are not sought.", "px", bounds=(1, 10**6)
    )

    front_maps: tuple[int, ...] = declare(
        (8, 16, 32, 64), "Feature maps of each layer of the front.", bounds=(1, 4096)
    )
    front_kernels: tuple[tuple[int, ...], ...] = declare(
        ((7, 7, 7), (7, 3, 3), (5, 3, 3), (5, 3, 3)), "Kernels: frames x depth x width.",
        "px", bounds=(1, 99),
    )  # fmt: skip
    front_stride: tuple[int, ...] = declare(
        (5, 2, 2), "Stride of the first layer: frames, depth, width.", "px", bounds=(1, 64)
    )
    front_pools: tuple[int, ...] = declare(
        (5, 4, 4), "Instants of which each later layer keeps the maximum.", bounds=(1, 1024)
    )
    block: str = declare("bottleneck", "Blocks of the residual network.", choices=tuple(BLOCKS))
    blocks: tuple[int, ...] = declare((3, 4, 23, 3), "Blocks of each stage.", bounds=(1, 99))
    backbone_maps: tuple[int, ...] = declare(
        (64, 128, 256, 512), "Feature maps inside the blocks of each stage.", bounds=(1, 4096)
    )
    pyramid_maps: int = declare(256, "Feature maps of the pyramid.", bounds=(1, 4096))
    anchors: tuple[tuple[int, ...], ...] = declare(
        ((4, 6, 8), (8, 11, 16), (16, 22, 32), (16, 22, 32), (16, 22, 32)),
        "Sides of the boxes that proposals begin with, of each level of the pyramid.",
        "px", bounds=(1, 4096),
    )  # fmt: skip
    anchor_ratios: tuple[float, ...] = declare(
        (1.0,), "Depth of those boxes over their width.", bounds=(0.05, 20)
    )
    anchor_overlap: tuple[float, ...] = declare(
        (0.3, 0.7), "IoU with a unit below which they are none, and from which they are it.",
        bounds=(0, 1),
    )  # fmt: skip
    anchor_samples: int = declare(256, "Boxes of a sequence that the losses of proposals take.",
                                  bounds=(2, 10**6))  # fmt: skip
    candidates: int = declare(2000, "Best proposals of each level.", bounds=(1, 10**6))
    proposal_nms: float = declare(
        0.7, "IoU with a better one above which a proposal is dropped.", bounds=(0, 1)
    )
    proposals_training: int = declare(2000, "Proposals kept in training.", bounds=(1, 10**6))
    proposals: int = declare(1000, "Proposals kept otherwise.", bounds=(1, 10**6))
    box_features: int = declare(1024, "Features of a box.", bounds=(1, 65536))
    box_samples: int = declare(200, "Boxes of a sequence that the losses take.", bounds=(1, 10**6))
    box_positive: float = declare(0.33, "Largest share of units among these.", bounds=(0, 1))
    mask_maps: tuple[int, ...] = declare(
        (256, 256, 256, 256), "Feature maps of each layer that outlines.", bounds=(1, 4096)
    )
    score_threshold: float = declare(0.7, "Score above which a unit is found.", bounds=(0, 1))
    nms: float = declare(
        0.3, "IoU of boxes with a better one above which a unit is dropped.", bounds=(0, 1)
    )
    detections: int = declare(100, "Most units found in a sequence.", bounds=(1, 10**6))
    mask_threshold: float = declare(
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
