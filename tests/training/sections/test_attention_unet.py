"""The Attention U-Net against its formulas."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from musim.training.sections.segmentation.attention_unet import (  # noqa: E402
    AttentionGate,
    AttentionUNet,
)


def test_a_gate_weighs_pixels_by_equation_1_of_the_paper():
    torch.manual_seed(0)
    gate = AttentionGate(4, 8).eval()
    skip, below = torch.randn(2, 4, 6, 8), torch.randn(2, 8, 3, 4)
    weights = gate.skip.weight[:, :, :, :]  # (inner, maps, 2, 2)
    joint = np.zeros((2, weights.shape[0], 3, 4))
    for row in range(3):
        for column in range(4):
            patch = skip[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            joint[:, :, row, column] = torch.einsum("nchw,ochw->no", patch, weights).detach()
    gated = torch.einsum("nchw,oc->nohw", below, gate.gating.weight[:, :, 0, 0])
    joint = np.maximum(joint + (gated + gate.gating.bias[:, None, None]).detach().numpy(), 0)
    share = np.einsum("nohw,o->nhw", joint, gate.weight.weight[0, :, 0, 0].detach())
    share = 1 / (1 + np.exp(-share - gate.weight.bias.item()))
    smooth = functional.interpolate(
        torch.from_numpy(share)[:, None].float(), size=(6, 8), mode="bilinear", align_corners=False
    )
    wanted = gate.out(skip * smooth)
    torch.testing.assert_close(gate(skip, below), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("maps", "levels", "fold"), [(3, 2, 1), (2, 3, 2), (4, 2, 4)])
def test_every_pixel_gets_a_logit_whatever_is_folded(maps, levels, fold):
    network = AttentionUNet(maps, levels, fold).eval()
    image = torch.randn(2, 1, 2 * network.multiple, 3 * network.multiple)
    assert network(image).shape == image.shape
    assert network.features(image)[-1].shape == (2, maps * 2 ** (levels - 1), 4, 6)[:2] + tuple(
        length // network.multiple for length in image.shape[2:]
    )


def test_a_pixel_comes_back_where_it_was_folded_from():
    network = AttentionUNet(2, 2, 4)
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.copy_(torch.arange(16.0))
    logits = network.eval()(torch.zeros(1, 1, 16, 16))[0, 0]
    corner = torch.arange(16.0).reshape(4, 4)
    torch.testing.assert_close(logits, corner.repeat(4, 4))


def test_sizes_that_do_not_halve_are_refused(refused):
    with refused("found images of 250 x 256 px", "multiples of 32 px"):
        AttentionUNet(8, 5, 2).check_size((250, 256))
