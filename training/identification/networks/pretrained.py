"""Weights of photographs that a detector begins with."""

from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.mask_rcnn import (
    MaskRCNN_ResNet50_FPN_Weights,
    maskrcnn_resnet50_fpn,
)
from torchvision.models.resnet import ResNet101_Weights

from ....simulator.errors import FailureError
from .detector import Detector

FROM_COCO = (
    "backbone.fpn.",
    "rpn.head.conv.",
    "roi_heads.box_head.",
    "roi_heads.mask_head.",
    "roi_heads.mask_predictor.conv5_mask.",
)
"""Parts whose weights for COCO's photographs fit: all but what knows of its classes and anchors."""


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
