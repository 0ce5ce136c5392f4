"""The losses of translation, against values worked out by hand."""

import math

import pytest
import torch

from musim.training.translation.losses import (
    CycleLoss,
    IdentityLoss,
    LeastSquaresLoss,
    RecurrentLoss,
    RecycleLoss,
    WeightedDistance,
)


def clips(*values):
    return torch.tensor(values).reshape(1, 1, 1, -1)


def test_the_generator_wants_scores_of_one():
    # ((0 - 1)² + (0.5 - 1)² + (3 - 1)²) / 3
    assert LeastSquaresLoss().generator(clips(0.0, 0.5, 3.0)).item() == pytest.approx(5.25 / 3)
    assert LeastSquaresLoss().generator(clips(1.0, 1.0)).item() == 0


def test_the_discriminator_wants_one_for_real_and_zero_for_fake():
    # half of ((0.5 - 1)² + (2 - 1)²) / 2 = 0.625, and of (0.25² + 0.5² + 1² + 0²) / 4 = 0.328125
    found = LeastSquaresLoss().discriminator(clips(0.5, 2.0), clips(0.25, 0.5, -1.0, 0.0))
    assert found.item() == pytest.approx(0.5 * (0.625 + 0.328125))
    assert LeastSquaresLoss().discriminator(clips(1.0), clips(0.0)).item() == 0


def test_a_fooled_discriminator_halves_the_gradient():
    real, fake = clips(0.0).requires_grad_(), clips(1.0).requires_grad_()
    LeastSquaresLoss().discriminator(real, fake).backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert (real.grad.item(), fake.grad.item()) == (-1, 1)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        # differences of 1, -3 and 0: mean absolute 4 / 3, mean squared 10 / 3
        (CycleLoss(), 10 * 4 / 3),
        (CycleLoss(weight=2.5), 2.5 * 4 / 3),
        (IdentityLoss(), 5 * 4 / 3),
        (IdentityLoss(kind="l2"), 5 * 10 / 3),
        (RecurrentLoss(), 10 * 10 / 3),
        (RecurrentLoss(kind="l1"), 10 * 4 / 3),
        (RecycleLoss(), 10 * 10 / 3),
        (RecycleLoss(weight=0), 0),
    ],
)
def test_weighted_distances(loss, expected):
    found, wanted = clips(2.0, 0.0, 4.0), clips(1.0, 3.0, 4.0)
    assert loss(found, wanted).item() == pytest.approx(expected)
    assert loss(wanted, found).item() == pytest.approx(expected)
    assert loss(found, found).item() == 0


def test_the_recycle_loss_goes_through_prediction_in_the_other_domain():
    # To the other domain doubles, back halves, and the next frame is a straight line's: frames of
    # 1, 3 and 6 are expected to go on with 5, one less than they do.
    def predict(pair):
        return 2 * pair[:, 1:] - pair[:, :1]

    first, second, third = clips(1.0), clips(3.0), clips(6.0)
    there = torch.cat([2 * first, 2 * second], 1)
    assert RecycleLoss()(predict(there) / 2, third).item() == 10
    assert RecurrentLoss()(predict(torch.cat([first, second], 1)), third).item() == 10


def test_distances_have_gradients_to_what_was_found():
    found = clips(2.0, 0.0).requires_grad_()
    CycleLoss()(found, clips(1.0, 3.0)).backward()
    assert found.grad is not None
    assert found.grad.flatten().tolist() == [5, -5]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_losses_of_half_precision_are_float32(kind):
    # 300² is beyond float16, and 1e-4 below what bfloat16 can add to 1.
    large, none = torch.full((4,), 300.0, dtype=kind), torch.zeros(4, dtype=kind)
    for found, expected in (
        (RecycleLoss(weight=1)(large, none), large[0].item() ** 2),
        (LeastSquaresLoss().generator(large), (large[0].item() - 1) ** 2),
        (LeastSquaresLoss().discriminator(large, large), None),
    ):
        assert found.dtype == torch.float32
        assert math.isfinite(found)
        if expected is not None:
            assert found.item() == pytest.approx(expected)


def test_shapes_that_would_stretch_are_refused(refused):
    with refused("found the shapes (1, 1, 1, 2) and (1, 1, 1, 1)"):
        CycleLoss()(clips(1.0, 2.0), clips(1.0))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"weight": -1.0}, "weight of a loss: found -1.0"),
        ({"weight": math.nan}, "found nan"),
        ({"weight": math.inf}, "found inf"),
        ({"kind": "l3"}, "found 'l3', wanted one of l1, l2"),
    ],
)
def test_settings_are_checked(values, words, refused):
    with refused(words):
        WeightedDistance(**values)
