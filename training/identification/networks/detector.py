"""Mask R-CNN on the fused features of a sequence: boxes, scores and masks of units."""

from collections import OrderedDict
from collections.abc import Sequence
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import (
    MaskRCNN_ResNet50_FPN_Weights,
    MaskRCNNHeads,
    MaskRCNNPredictor,
    maskrcnn_resnet50_fpn,
)
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet101_Weights
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from ....simulator.errors import FailureError
from .front import SlowFusion

BLOCKS = {"basic": BasicBlock, "bottleneck": Bottleneck}
"""Residual blocks, by name."""

CLASSES = 2
"""Background and unit."""

BOX_SIZE, MASK_SIZE = 7, 14
"""Side of the features of a box that are classified, and outlined; masks have twice the latter."""

SAMPLES = 1
"""Points a side at which features are taken for each part of a box: one, as where the paper's Mask
R-CNN resizes crops. Boxes of units are no larger than a few pixels of the features."""

FROM_COCO = (
    "backbone.fpn.",
    "rpn.head.conv.",
    "roi_heads.box_head.",
    "roi_heads.mask_head.",
    "roi_heads.mask_predictor.conv5_mask.",
)
"""Parts whose weights for COCO's photographs fit: all but what knows of its classes and anchors."""

Targets = list[dict[str, Tensor]]


class Residual(nn.Module):
    """A residual network without its first stage.

    What is left out is the convolution with stride 2 and the pooling that a photograph goes
    through first; features of 64 maps come in their place (Ali et al. 2020, section III.B,
    doi:10.1109/ACCESS.2020.3023495). Parts have the names that they have in torchvision's ResNet.

    Parameters
    ----------
    inputs : int
        Maps that come in.
    block : {"basic", "bottleneck"}
    blocks : sequence of int
        Of each stage.
    maps : sequence of int
        Of each stage, inside its blocks; bottlenecks give four times as many.

    Notes
    -----
    He et al. 2016 (doi:10.1109/CVPR.2016.90); blocks (3, 4, 23, 3) of bottlenecks with maps (64,
    128, 256, 512) are ResNet-101. The first stage keeps the image's size, every other halves it.
    """

    def __init__(self, inputs: int, block: str, blocks: Sequence[int], maps: Sequence[int]) -> None:
        super().__init__()
        self.channels: list[int] = []
        for stage, (count, planes) in enumerate(zip(blocks, maps, strict=True)):
            layer = _stage(BLOCKS[block], inputs, planes, count, stride=1 if stage == 0 else 2)
            self.add_module(f"layer{stage + 1}", layer)
            inputs = planes * BLOCKS[block].expansion
            self.channels.append(inputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, features: Tensor) -> "OrderedDict[str, Tensor]":
        """Return what each stage gives, by number, the finest first."""
        levels: OrderedDict[str, Tensor] = OrderedDict()
        for level, layer in enumerate(self.children()):
            features = layer(features)
            levels[str(level)] = features  # (B, C, H / 2**level, W / 2**level)
        return levels


class Pyramid(nn.Module):
    """A residual network and the feature pyramid over its stages, with one more level by striding.

    Parameters
    ----------
    body : Residual
    channels : int
        Maps of every level.

    Notes
    -----
    Lin et al. 2017 (doi:10.1109/CVPR.2017.106).
    """

    def __init__(self, body: Residual, channels: int) -> None:
        super().__init__()
        self.body = body
        self.fpn = FeaturePyramidNetwork(body.channels, channels, LastLevelMaxPool())

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Return the levels, the finest first, the last named ``pool``."""
        return self.fpn(self.body(features))


class Anchors(AnchorGenerator):
    """Boxes about every pixel of every level, whose sides are not rounded to even numbers."""

    def generate_anchors(
        self,
        scales: Any,
        aspect_ratios: Any,
        dtype: torch.dtype = torch.float32,
        device: torch.device = torch.device("cpu"),  # noqa: B008
    ) -> Tensor:
        """Return boxes about the origin: every size in every ratio of depth to width."""
        sizes = torch.as_tensor(scales, dtype=dtype, device=device)
        roots = torch.as_tensor(aspect_ratios, dtype=dtype, device=device).sqrt()
        widths = (sizes[None, :] / roots[:, None]).flatten() / 2
        depths = (sizes[None, :] * roots[:, None]).flatten() / 2
        return torch.stack([-widths, -depths, widths, depths], dim=1)


class Detector(nn.Module):
    """Ali's detection and segmentation model: front, residual network, pyramid and Mask R-CNN.

    Coordinates are pixels of the sequence's image, x before depth, with whole numbers at the
    centres of pixels: where strided convolutions look, and where features are taken from. Boxes are
    (left, top, right, bottom). Nothing is rescaled, and no colours are normalised.

    Parameters
    ----------
    settings : DetectSettings
        See :class:`.detection_task.DetectSettings`.

    Notes
    -----
    Mask R-CNN: He et al. 2017 (doi:10.1109/ICCV.2017.322).
    """

    def __init__(self, settings: Any) -> None:
        super().__init__()
        s = settings
        self.front = SlowFusion(s.front_maps, s.front_kernels, s.front_stride, s.front_pools)
        body = Residual(self.front.channels, s.block, s.blocks, s.backbone_maps)
        self.backbone = Pyramid(body, s.pyramid_maps)
        anchors = Anchors(s.anchors, (s.anchor_ratios,) * len(s.anchors))
        self.rpn = RegionProposalNetwork(
            anchors,
            RPNHead(s.pyramid_maps, anchors.num_anchors_per_location()[0]),
            fg_iou_thresh=s.anchor_overlap[1],
            bg_iou_thresh=s.anchor_overlap[0],
            batch_size_per_image=s.anchor_samples,
            positive_fraction=0.5,
            pre_nms_top_n={"training": s.candidates, "testing": s.candidates},
            post_nms_top_n={"training": s.proposals_training, "testing": s.proposals},
            nms_thresh=s.proposal_nms,
        )
        levels = [str(level) for level in range(len(s.blocks))]
        self.roi_heads = RoIHeads(
            MultiScaleRoIAlign(levels, BOX_SIZE, sampling_ratio=SAMPLES),
            TwoMLPHead(s.pyramid_maps * BOX_SIZE**2, s.box_features),
            FastRCNNPredictor(s.box_features, CLASSES),
            fg_iou_thresh=0.5,
            bg_iou_thresh=0.5,
            batch_size_per_image=s.box_samples,
            positive_fraction=s.box_positive,
            bbox_reg_weights=None,
            score_thresh=s.score_threshold,
            nms_thresh=s.nms,
            detections_per_img=s.detections,
            mask_roi_pool=MultiScaleRoIAlign(levels, MASK_SIZE, sampling_ratio=SAMPLES),
            mask_head=MaskRCNNHeads(s.pyramid_maps, s.mask_maps, 1),
            mask_predictor=MaskRCNNPredictor(s.mask_maps[-1], s.mask_maps[-1], CLASSES),
        )

    def features(self, tvi: Tensor) -> dict[str, Tensor]:
        """Return the pyramid's levels for sequences as they were recorded.

        Parameters
        ----------
        tvi : float tensor of shape (batch, time, depth, width)
            mm/s; every sequence is standardised by itself.

        Returns
        -------
        dict of float32 tensors
        """
        levels = self.backbone(self.front(standardised(tvi)[:, None]))
        # Coordinates of boxes need more digits than half precision has.
        return {name: level.float() for name, level in levels.items()}

    def losses(
        self, features: dict[str, Tensor], size: tuple[int, int], targets: Targets
    ) -> dict[str, Tensor]:
        """Return the five losses of Mask R-CNN, with its proposal and box stages in training.

        Parameters
        ----------
        features : dict of tensors
            Of :meth:`features`.
        size : (int, int)
            Depth and width of the image, px.
        targets : list of dict
            Of each sequence, as :func:`targets_of` makes them.

        Returns
        -------
        dict of scalar tensors
            ``objectness``, ``proposal_box``, ``classifier``, ``box`` and ``mask``.
        """
        self.rpn.train()
        self.roi_heads.train()
        with torch.autocast(next(iter(features.values())).device.type, enabled=False):
            images = _images(features, size)
            proposals, first = self.rpn(images, features, targets)
            _, second = self.roi_heads(features, proposals, images.image_sizes, targets)
        return {
            "objectness": first["loss_objectness"],
            "proposal_box": first["loss_rpn_box_reg"],
            "classifier": second["loss_classifier"],
            "box": second["loss_box_reg"],
            "mask": second["loss_mask"],
        }

    def detections(
        self, features: dict[str, Tensor], size: tuple[int, int]
    ) -> list[tuple[Tensor, Tensor]]:
        """Return the units that are found in each sequence, the surest first.

        Parameters
        ----------
        features : dict of tensors
            Of :meth:`features`.
        size : (int, int)
            Depth and width of the image, px.

        Returns
        -------
        list of (masks, scores)
            Soft masks, 0..1, float32 of shape (unit, depth, width); scores, 0..1, (unit,).
        """
        self.rpn.eval()
        self.roi_heads.eval()
        with torch.autocast(next(iter(features.values())).device.type, enabled=False):
            images = _images(features, size)
            proposals, _ = self.rpn(images, features)
            found, _ = self.roi_heads(features, proposals, images.image_sizes)
        return [(paste(one["masks"], one["boxes"], size), one["scores"]) for one in found]


def standardised(tvi: Tensor) -> Tensor:
    """Return sequences with mean 0 and standard deviation 1, each by itself.

    Parameters
    ----------
    tvi : float tensor of shape (batch, time, depth, width)
        A sequence without any movement stays 0.
    """
    values = tvi.float().flatten(1)
    values = values - values.mean(dim=1, keepdim=True)
    # Four times as fast as torch.std over the axes of a sequence.
    deviation = torch.linalg.vector_norm(values, dim=1, keepdim=True) / values.shape[1] ** 0.5
    return (values / torch.where(deviation > 0, deviation, 1.0)).reshape(tvi.shape)


def targets_of(territory: Tensor, unit_mask: Tensor, fewest: int) -> Targets:
    """Return what Mask R-CNN is to find in each sequence.

    Parameters
    ----------
    territory : tensor of shape (batch, unit, depth, width)
        Memberships; a unit's mask are the pixels of which more than half belongs to it.
    unit_mask : bool tensor of shape (batch, unit)
        False for padding.
    fewest : int
        Units with fewer pixels are left out.

    Returns
    -------
    list of dict
        ``masks`` uint8 (unit, depth, width), ``boxes`` float32 (unit, 4) and ``labels`` int64
        (unit,). A box reaches to the outer edges of its pixels, but not beyond the centres of those
        at the image's border, so that mirrored masks have mirrored boxes.
    """
    targets = []
    for one, there in zip(territory > 0.5, unit_mask, strict=True):
        masks = one[there & (one.sum(dim=(1, 2)) >= fewest)]
        top, bottom = _extent(masks.any(dim=2))
        left, right = _extent(masks.any(dim=1))
        boxes = torch.stack([left, top, right, bottom], dim=1)
        labels = torch.ones(len(masks), dtype=torch.int64, device=masks.device)
        targets.append({"masks": masks.to(torch.uint8), "boxes": boxes, "labels": labels})
    return targets


def paste(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return masks of boxes as masks of the image, interpolated at the centres of its pixels.

    Parameters
    ----------
    masks : float tensor of shape (unit, 1, side, side)
        Of the box's equal parts.
    boxes : float tensor of shape (unit, 4)
        px.
    size : (int, int)
        Depth and width of the image, px.

    Returns
    -------
    float tensor of shape (unit, depth, width)
        0 where the pixel's centre is outside of the box.
    """
    depth, width = size
    rows = torch.arange(depth, device=boxes.device, dtype=boxes.dtype)
    columns = torch.arange(width, device=boxes.device, dtype=boxes.dtype)
    left, top, right, bottom = boxes[:, :, None].unbind(dim=1)
    # Places in the box, -1..1 from edge to edge.
    across = 2 * (columns - left) / (right - left) - 1  # (N, W)
    down = 2 * (rows - top) / (bottom - top) - 1  # (N, H)
    grid = torch.stack(
        [across[:, None, :].expand(-1, depth, -1), down[:, :, None].expand(-1, -1, width)], dim=-1
    )  # (N, H, W, 2)
    image = functional.grid_sample(masks, grid, padding_mode="border", align_corners=False)[:, 0]
    inside = (across.abs() <= 1)[:, None, :] & (down.abs() <= 1)[:, :, None]
    return image * inside


def _extent(there: Tensor) -> tuple[Tensor, Tensor]:
    """Return the outer edges of what is there along the second axis; see :func:`targets_of`."""
    length = there.shape[1]
    places = torch.arange(length, device=there.device)
    low = torch.where(there, places, length).amin(dim=1) - 0.5
    high = torch.where(there, places, -1).amax(dim=1) + 0.5
    return low.clamp(min=0), high.clamp(max=length - 1)


def _images(features: dict[str, Tensor], size: tuple[int, int]) -> ImageList:
    """Return what torchvision wants to know of images: their number and size, and no pixel."""
    level = next(iter(features.values()))
    return ImageList(level.new_empty((len(level), 0, *size)), [size] * len(level))


def _stage(
    block: type[BasicBlock] | type[Bottleneck], inputs: int, maps: int, count: int, stride: int
) -> nn.Sequential:
    """Return one stage of a residual network; its first block strides."""
    outputs = maps * block.expansion
    shortcut = None
    if stride != 1 or inputs != outputs:
        shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
        )
    rest = [block(outputs, maps) for _ in range(count - 1)]
    return nn.Sequential(block(inputs, maps, stride, shortcut), *rest)


def load_pretrained(detector: Detector) -> None:
    """Begin with weights that were trained on photographs, of the parts that have such weights.

    The residual network gets those of torchvision's ResNet-101 for ImageNet (there are none for
    COCO), without its first stage; the pyramid, the proposals' shared layer and the heads, but for
    their last layers, get those of its Mask R-CNN with ResNet-50 for COCO. The front, the anchors'
    outputs, the classifier and the masks' last layer stay as they are.

    Parameters
    ----------
    detector : Detector
        With ResNet-101's blocks and maps, 64 maps from the front and 256 in the pyramid.

    Raises
    ------
    FailureError
        If the weights cannot be fetched.
    """
    given = {f"backbone.body.{k}": v for k, v in _fetched(ResNet101_Weights.IMAGENET1K_V1).items()}
    with torch.device("meta"):
        other = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    # Names have changed since these weights were made; torchvision's network translates them.
    other.load_state_dict(_fetched(MaskRCNN_ResNet50_FPN_Weights.COCO_V1), assign=True)
    given |= {k: v for k, v in other.state_dict().items() if k.startswith(FROM_COCO)}
    wanted = ("backbone.body.", *FROM_COCO)
    state = detector.state_dict()
    chosen = {name: given[name] for name in state if name.startswith(wanted)}
    detector.load_state_dict({**state, **chosen})


def _fetched(weights: Any) -> dict[str, Tensor]:
    """Return weights from torch's folder of them, or from where they are published."""
    try:
        # Nothing in the file is executed, and its name holds its digest.
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, EOFError, RuntimeError, UnpicklingError) as error:
        name = weights.url.rpartition("/")[2]
        reason = " ".join(str(error).split())
        raise FailureError(
            f"weights: found no {name} ({reason}), wanted it in {torch.hub.get_dir()}/checkpoints "
            f"or network access to {weights.url}; give one of both, or set pretrained to none"
        ) from error
