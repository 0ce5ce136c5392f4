"""The translation networks of Ali et al. 2022 as plain torch modules."""

from .discriminators import PatchDiscriminator
from .generators import ResNetGenerator
from .layers import Key, noise_images, reach, receptive_field
from .models import MODELS, Architecture, TranslationModel, build, outline, parameter_count
from .unet import UNetPredictor

__all__ = [
    "MODELS",
    "Architecture",
    "Key",
    "PatchDiscriminator",
    "ResNetGenerator",
    "TranslationModel",
    "UNetPredictor",
    "build",
    "noise_images",
    "outline",
    "parameter_count",
    "reach",
    "receptive_field",
]
