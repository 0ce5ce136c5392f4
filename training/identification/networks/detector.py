"""Mask R-CNN on the fused features of a sequence: boxes, scores and masks of units."""

from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import (
    MaskRCNNHeads,
    MaskRCNNPredictor,
)
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import MultiScaleRoIAlign

from .boxes import Targets, paste
from .front import SlowFusion
from .residual import Pyramid, Residual
from .scaling import standardise

CLASSES = 2
"""Background and unit."""

BOX_SIZE, MASK_SIZE = 7, 14
"""Side of the features of a box that are classified, and outlined; masks have twice the latter."""

SAMPLES = 1
"""Points a side at which features are taken for each part of a box: one, as where the paper's Mask
R-CNN resizes crops. Boxes of units are no larger than a few pixels of the features."""


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
        See :class:`.detection_settings.DetectSettings`.

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
        levels = self.backbone(self.front(standardise(tvi)[0][:, None]))
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
            Of each sequence, as :func:`.boxes.targets_of` makes them.

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


def _images(features: dict[str, Tensor], size: tuple[int, int]) -> ImageList:
    """Return what torchvision wants to know of images: their number and size, and no pixel."""
    level = next(iter(features.values()))
    return ImageList(level.new_empty((len(level), 0, *size)), [size] * len(level))
