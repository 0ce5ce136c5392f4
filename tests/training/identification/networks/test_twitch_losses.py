import pytest
import torch

from musim.training.identification.networks.twitch_losses import scaled_squared_error


def test_the_error_by_hand():
    true = torch.tensor([[0.0, 2.0, -4.0], [0.5, 0.0, 0.0]])
    predicted = torch.tensor([[2.0, 2.0, -3.0], [0.0, 0.0, 1.0]])
    # By 4: 1/2, 0, 1/4. By 1/2: 1, 0, 2.
    expected = (0.25 + 0 + 0.0625 + 1 + 0 + 4) / 6
    assert scaled_squared_error(predicted, true).item() == pytest.approx(expected)


@pytest.mark.parametrize("factor", [1e-6, 0.125, 3.0, 1e6])
def test_a_weak_unit_counts_as_much_as_a_strong_one(factor):
    random = torch.Generator().manual_seed(0)
    true = torch.randn(2, 30, generator=random)
    predicted = torch.randn(2, 30, generator=random).requires_grad_()
    loss = scaled_squared_error(predicted, true)
    (gradient,) = torch.autograd.grad(loss, predicted)
    scale = torch.tensor([[factor], [1.0]])
    scaled = (predicted.detach() * scale).requires_grad_()
    other = scaled_squared_error(scaled, true * scale)
    (other_gradient,) = torch.autograd.grad(other, scaled)
    assert other.item() == pytest.approx(loss.item(), rel=1e-5)
    # What a change relative to the amplitude does is the same.
    torch.testing.assert_close(other_gradient * scale, gradient, rtol=1e-5, atol=1e-9)


def test_a_true_train_of_zeros_is_left_as_it_is():
    true = torch.zeros(1, 4)
    predicted = torch.tensor([[1.0, -1.0, 0.0, 2.0]], requires_grad=True)
    loss = scaled_squared_error(predicted, true)
    loss.backward()
    assert loss.item() == 1.5
    assert predicted.grad is not None
    assert predicted.grad.tolist() == [[0.5, -0.5, 0.0, 1.0]]


def test_the_greatest_size_may_be_negative():
    true = torch.tensor([[1.0, -2.0]])
    assert scaled_squared_error(torch.zeros(1, 2), true).item() == pytest.approx((0.25 + 1) / 2)


def test_half_precision_is_compared_in_single():
    true = torch.full((1, 2), 300.0)
    predicted = torch.zeros(1, 2, dtype=torch.float16)
    loss = scaled_squared_error(predicted, true)
    assert loss.dtype == torch.float32
    assert loss.item() == 1
