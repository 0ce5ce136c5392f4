"""Learned perceptual image patch similarity, where its weights are on this computer already.

Zhang et al. 2018 (arXiv:1801.03924) compare maps of AlexNet, trained on photographs, with weights
that were fitted to human judgement. torchvision keeps the former in its cache once they were
fetched, torchmetrics brings the latter along. Nothing is fetched here.
"""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ALEXNET = "alexnet-owt-7be5be79.pth"
"""The file in torch's cache that has AlexNet's weights."""

ENDS = (2, 5, 8, 10, 12)
"""Layers of AlexNet after which maps are compared, counted from 1: its five rectifiers."""

SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
"""Mean and SD of the photographs' channels, of values from -1 to 1."""

AVAILABLE = (
    "LPIPS with AlexNet's weights (Zhang et al. 2018, version 0.1), of grey levels from -1 to 1."
)

UNAVAILABLE = (
    "LPIPS: not available. It needs AlexNet's weights, which are not here and are not fetched "
    f"(torchvision keeps them as {ALEXNET}, if anything else has). The published 0.005 to 0.008 "
    "cannot be made again."
)

PerceptualDistance = Callable[[NDArray[np.uint8], NDArray[np.uint8]], float]
"""Of two images, (depth, width) arrays of uint8, the distance."""


def perceptual_distance() -> PerceptualDistance | None:
    """Return the distance of two images, or None where its weights are not on this computer."""
    alexnet, linear = _cache() / ALEXNET, _fitted()
    if linear is None or not (alexnet.is_file() and linear.is_file()):
        return None
    if importlib.util.find_spec("torchvision") is None:
        return None
    return _load(alexnet, linear)


def _cache() -> Path:
    """Return the folder where torch keeps weights, as ``torch.hub.get_dir`` finds it."""
    general = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    place = os.environ.get("TORCH_HOME", f"{general}/torch")
    return Path(place).expanduser() / "hub" / "checkpoints"


def _fitted() -> Path | None:
    """Return the file of weights that were fitted to judgements; importing its package is slow."""
    found = importlib.util.find_spec("torchmetrics")
    places = [] if found is None else list(found.submodule_search_locations or [])
    return (
        Path(places[0]) / "functional" / "image" / "lpips_models" / "alex.pth" if places else None
    )


def _load(alexnet: Path, linear: Path) -> PerceptualDistance:
    import torch
    import torchvision

    with torch.device("meta"):  # no memory for weights that are replaced at once
        layers = torchvision.models.alexnet(weights=None).features
    kept = torch.load(alexnet, map_location="cpu", weights_only=True)
    begin = "features."
    named = {name.removeprefix(begin): values for name, values in kept.items()
             if name.startswith(begin)}  # fmt: skip
    layers.load_state_dict(named, assign=True)
    layers.eval()
    fitted = torch.load(linear, map_location="cpu", weights_only=True)
    weights = [fitted[f"lin{number}.model.1.weight"] for number in range(len(ENDS))]
    shift, scale = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (SHIFT, SCALE))

    def distance(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
        with torch.inference_mode():
            pair = torch.from_numpy(np.stack([first, second]))[:, None].float() / 127.5 - 1
            maps = (pair.expand(-1, 3, -1, -1) - shift) / scale
            total = torch.zeros(())
            for number, layer in enumerate(layers, start=1):
                maps = layer(maps)
                if number in ENDS:
                    unit = maps / torch.sqrt(1e-8 + (maps**2).sum(dim=1, keepdim=True))
                    apart = ((unit[:1] - unit[1:]) ** 2 * weights[ENDS.index(number)]).sum(dim=1)
                    total = total + apart.mean()
            return float(total)

    return distance
