"""Learned perceptual similarity, beside torchmetrics' with the same weights; none is fetched."""

import importlib.util

import numpy as np
import pytest

from musim.training.sections.likeness import perceptual
from musim.training.sections.likeness.pairs import compare_pairs
from musim.training.sections.likeness.perceptual import ALEXNET, perceptual_distance


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder in which torch keeps weights, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_without_weights_there_is_none(cache):
    assert perceptual_distance() is None
    assert list(cache.iterdir()) == []


def test_without_torchmetrics_there_is_none(cache, monkeypatch):
    (cache / ALEXNET).write_bytes(b"")
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torchmetrics" else found(name)
    )
    assert perceptual_distance() is None


@pytest.mark.torch
def test_the_cache_is_where_torch_says(monkeypatch, tmp_path):
    import torch

    for name, value in (("XDG_CACHE_HOME", tmp_path), ("TORCH_HOME", tmp_path / "t")):
        monkeypatch.setenv(name, str(value))
        assert str(perceptual._cache()) == f"{torch.hub.get_dir()}/checkpoints"


@pytest.mark.torch
def test_as_torchmetrics_has_it(cache):
    import torch
    from torchmetrics.functional.image.lpips import _LPIPS

    torch.manual_seed(0)
    theirs = _LPIPS(net="alex", pnet_rand=True)
    # Their names are slice1.0.weight and so on; torchvision's features.0.weight.
    kept = {f"features.{name.split('.', 1)[1]}": values
            for name, values in theirs.net.state_dict().items()}  # fmt: skip
    torch.save({**kept, "classifier.6.bias": torch.zeros(3)}, cache / ALEXNET)
    distance = perceptual_distance()
    assert distance is not None
    images = np.random.default_rng(0).integers(0, 256, (3, 70, 64)).astype(np.uint8)
    found = compare_pairs(images, images, np.array([[0, 1], [2, 1], [0, 0]]), distance)
    for place, (one, other) in enumerate(((0, 1), (2, 1))):
        pair = [torch.as_tensor(images[k]).float().expand(1, 3, -1, -1) / 127.5 - 1
                for k in (one, other)]  # fmt: skip
        assert found.lpips[place] == pytest.approx(float(theirs(*pair)), rel=1e-4)
    assert found.lpips[2] == 0
    assert found.lpips[0] > 0
