import pytest
import torch
from torch import nn

from musim.training.identification.networks.twitch import TwitchNetwork, masked_mean

TINY = {
    "crop": (8, 8),
    "maps": (2, 3),
    "kernels": ((5, 3, 3), (3, 3, 3)),
    "strides": ((1, 2, 2), (1, 1, 1)),
    "dense": (6, 5),
    "recurrent": 4,
    "head": (7,),
}


def _count(module):
    return sum(value.numel() for value in module.parameters())


def _seeded(**options):
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return TwitchNetwork(**{**TINY, **options})


def _random(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def paper():
    return TwitchNetwork()


def test_the_papers_network_has_the_papers_layers(paper):
    convolutions = [layer for layer in paper.convolutions if isinstance(layer, nn.Conv3d)]
    assert [layer.kernel_size for layer in convolutions] == [(15, 5, 5)] + [(15, 3, 3)] * 4
    assert [layer.stride for layer in convolutions] == [(1, 2, 2)] + [(1, 1, 1)] * 4
    kinds = [type(layer) for layer in paper.convolutions]
    assert kinds == [nn.Conv3d, nn.BatchNorm3d, nn.ReLU] * 5
    assert [type(layer) for layer in paper.dense] == [nn.Linear, nn.ReLU] * 3
    assert [type(layer) for layer in paper.head] == [nn.Linear, nn.ReLU] * 2


def test_the_papers_network_has_as_many_weights_as_follow_from_its_text(paper):
    counts = [_count(layer) for layer in paper.convolutions if _count(layer)]
    # A kernel and a bias for each map; a scale and a shift for each map.
    first, other, normalisation = 16 * 5 * 5 * 15 + 16, 16 * 16 * 3 * 3 * 15 + 16, 2 * 16
    assert counts == [first, normalisation] + [other, normalisation] * 4
    dense = [_count(layer) for layer in paper.dense if _count(layer)]
    # 8 x 8 px of 16 maps are 1024 values a time step.
    assert dense == [1024 * 1024 + 1024, 1024 * 512 + 512, 512 * 256 + 256]
    # Two directions of three gates, each with weights for input and state and two biases.
    assert _count(paper.recurrent) == 2 * 3 * (512 * 256 + 512 * 512 + 2 * 512)
    head = [_count(layer) for layer in paper.head if _count(layer)]
    assert head == [1024 * 1024 + 1024, 1024 * 512 + 512]
    assert _count(paper.train_of) == 512 + 1
    assert _count(paper) == 5_790_561


def test_the_papers_shapes():
    seen = {}
    paper = TwitchNetwork().eval()
    for name in ("convolutions", "dense", "recurrent", "head", "train_of"):
        getattr(paper, name).register_forward_hook(
            lambda _, given, made, name=name: seen.update({name: (given[0], made)})
        )
    with torch.no_grad():
        assert paper(_random(1, 1, 40, 16, 16)).shape == (1, 40)
    shapes = {name: (tuple(given.shape), made) for name, (given, made) in seen.items()}
    assert tuple(shapes["convolutions"][1].shape) == (1, 16, 40, 8, 8)
    assert shapes["dense"][0] == (1, 40, 1024)
    assert shapes["recurrent"][0] == (1, 40, 256)
    assert shapes["head"][0] == (1, 40, 1024)
    assert shapes["train_of"][0] == (1, 40, 512)


def test_a_time_step_is_its_pixels_and_maps_alone():
    network = _seeded(dense=())
    maps = network.convolutions(_random(2, 1, 9, 8, 8))
    given = []
    network.recurrent.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    network.eval()
    network.convolutions = nn.Identity()
    network(maps)
    for step in range(9):
        torch.testing.assert_close(given[0][:, step], maps[:, :, step].flatten(1))


@pytest.mark.parametrize("frames", [1, 7, 8, 30])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_every_frame_gets_a_value_whatever_the_strides(frames, stride):
    network = _seeded(strides=((stride, 2, 2), (2, 2, 1)), crop=(7, 9))
    assert network.frames_a_step == 2 * stride
    assert network(_random(3, 1, frames, 7, 9)).shape == (3, frames)


def test_a_step_with_a_stride_stands_for_the_frames_that_follow_it():
    # Without a GRU's memory, a jolt reaches the steps alone whose kernels see it.
    network = _seeded(strides=((4, 2, 2), (1, 1, 1)), kernels=((3, 3, 3), (1, 3, 3))).eval()
    for weights in network.recurrent.parameters():
        if weights.shape[-1] == TINY["recurrent"]:
            nn.init.zeros_(weights)
    with torch.no_grad():
        for name, values in network.recurrent.named_parameters():
            if name.startswith("bias"):
                # The update gate shut: the state is the input's alone.
                values[4:8] = -50
    still = _random(1, 1, 32, 8, 8)
    jolted = still.clone()
    jolted[:, :, 12] += 5
    changed = (network(still) != network(jolted))[0].nonzero()[:, 0]
    assert changed.tolist() == [12, 13, 14, 15]


def test_time_runs_both_ways():
    network = _seeded().eval()
    still = _random(1, 1, 40, 8, 8)
    jolted = still.clone()
    jolted[:, :, 20] += 5
    changed = (network(still) != network(jolted))[0]
    assert changed[:10].any()
    assert changed[30:].any()


def test_the_mask_changes_the_input_channels_alone():
    one, two = _seeded(), _seeded(channels=2)
    for (name, alone), (other, both) in zip(
        one.named_parameters(), two.named_parameters(), strict=True
    ):
        assert name == other
        if name == "convolutions.0.weight":
            assert both.shape == (alone.shape[0], 2, *alone.shape[2:])
        else:
            assert both.shape == alone.shape


def test_the_mean_over_the_mask_by_hand():
    crops = torch.zeros(2, 2, 3, 2, 2)
    crops[0, 0] = torch.arange(12.0).reshape(3, 2, 2)
    crops[0, 1, :, 0, 1] = 1
    crops[0, 1, :, 1, 0] = 0.5
    assert masked_mean(crops).tolist() == [pytest.approx([4 / 3, 16 / 3, 28 / 3]), [0, 0, 0]]


def test_a_residual_is_added_to_the_mean_over_the_mask():
    plain, residual = _seeded(channels=2).eval(), _seeded(channels=2, residual=True).eval()
    crops = _random(2, 2, 12, 8, 8)
    crops[:, 1] = (crops[:, 1, :1] > 0).float()
    torch.testing.assert_close(residual(crops), plain(crops) + masked_mean(crops))


def test_every_weight_is_trained():
    network = _seeded()
    network(_random(2, 1, 20, 8, 8)).square().sum().backward()
    for name, value in network.named_parameters():
        assert value.grad is not None, name
        assert value.grad.abs().sum() > 0, name


def test_kernels_and_strides_are_time_depth_and_width():
    network = _seeded(
        crop=(6, 9), kernels=((3, 5, 1), (1, 1, 7)), strides=((1, 1, 3), (1, 2, 1)), maps=(2, 4)
    )
    maps = network.convolutions(_random(1, 1, 10, 6, 9))
    assert maps.shape == (1, 4, 10, 3, 3)
    assert network(_random(1, 1, 10, 6, 9)).shape == (1, 10)


def test_what_a_last_step_gives_beyond_the_end_is_cut_off():
    network = _seeded(strides=((4, 2, 2), (1, 1, 1))).eval()
    given = []
    network.train_of.register_forward_hook(lambda *each: given.append(each[2]))
    train = network(_random(1, 1, 30, 8, 8))
    assert given[0].shape == (1, 8, 4)
    assert torch.equal(train, given[0].flatten(1)[:, :30])
