"""The translation networks, against their published sizes and against plain functional versions."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from musim.simulator.errors import InputError
from musim.training.translation.networks import (
    MODELS,
    Architecture,
    PatchDiscriminator,
    ResNetGenerator,
    UNetPredictor,
    build,
    layers,
    noise_images,
    outline,
    parameter_count,
    reach,
    receptive_field,
)
from musim.training.translation.networks.layers import (
    InstanceNorm,
    NoiseInjection,
    ReflectionPad,
    initialise,
    is_convolution,
    reflect_by_parts,
)

SMALL = {"maps": 2, "blocks": 1, "discriminator_maps": 2, "predictor_maps": 2, "predictor_depth": 3}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small(name, **changes):
    """Return a published architecture with few maps."""
    return replace(MODELS[name], **{**SMALL, **changes})


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def filled(network, seed=0, deviation=0.3):
    """Give every parameter, biases and scales too, a value that has an influence."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, deviation, generator=random)
    return network


def without_norms(network, positive=True):
    """Take out the norms; with positive weights no rectifier hides what an output depends on."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                setattr(module, name, nn.Identity())
    for parameter in network.parameters():
        parameter.data.abs_() if positive else None
    return network.double()


def dependence(network, size, position, channels=1):
    """Return per axis the first and last input that one output depends on, by its gradient."""
    clip = torch.ones(1, channels, *size, dtype=torch.float64, requires_grad=True)
    network(clip)[(0, 0, *position)].backward()
    assert clip.grad is not None
    seen = clip.grad[0].sum(0).nonzero()
    return [(int(column.min()), int(column.max())) for column in seen.T]


class TestPublishedSizes:
    @pytest.mark.parametrize(
        ("name", "parameters"),
        [
            ("cyclegan-2d", 28_256_644),
            ("recyclegan", 111_897_734),
            ("cyclegan-3d", 17_322_436),
            ("cyclegan-3d-stride1", 17_322_436),
            ("cyclegan-3d-noise", 17_322_448),
        ],
    )
    def test_parameters_are_those_of_the_paper(self, name, parameters):
        assert parameter_count(MODELS[name]) == parameters

    def test_all_models_have_a_count(self):
        assert len(MODELS) == 5

    def test_noise_is_in_the_generator_to_the_experimental_domain_alone(self):
        model = outline(MODELS["cyclegan-3d-noise"])
        scales = [name for name, m in model.named_modules() if isinstance(m, NoiseInjection)]
        assert len(scales) == model.generator_a2b.noise_layers == 12
        assert all(name.startswith("generator_a2b.blocks.") for name in scales)
        assert model.generator_b2a.noise_layers == 0

    @pytest.mark.parametrize("name", MODELS)
    def test_clips_of_the_paper_are_taken(self, name):
        architecture = MODELS[name]
        size = (architecture.frames, 128, 128)[-architecture.dimensions :]
        model = outline(architecture)
        model.check_size(size)
        with torch.device("meta"):
            clip = torch.empty(2, 1, *size)
            frames = torch.empty(2, 2, 128, 128)
        assert model.generator_a2b(clip, noise=[1, 2]).shape == clip.shape
        assert model.generator_b2a(clip).shape == clip.shape
        frames_of_score = {"cyclegan-3d": (2,)}.get(name, (27,) * (architecture.dimensions == 3))
        assert model.discriminator_a(clip).shape == (2, 1, *frames_of_score, 14, 14)
        if architecture.temporal_predictor:
            assert model.predictor_b is not None
            assert model.predictor_b(frames).shape == (2, 1, 128, 128)
        else:
            assert model.predictor_b is None


class TestSizes:
    @settings(max_examples=40)
    @given(
        height=st.integers(2, 9),
        width=st.integers(2, 9),
        frames=st.integers(4, 20),
        stride=st.sampled_from([1, 2, None]),
        batch=st.integers(1, 2),
    )
    def test_what_comes_out_has_the_size_of_what_goes_in(
        self, height, width, frames, stride, batch
    ):
        size: tuple[int, ...] = (4 * height, 4 * width)
        if stride == 1:
            size = (frames, *size)
        elif stride == 2:
            size = (8 + 4 * (frames % 4), *size)
        generator = ResNetGenerator(len(size), maps=1, blocks=1, stride_in_time=stride or 2)
        with torch.no_grad():
            clip = normal(batch, 1, *size)
            assert generator(clip).shape == clip.shape

    @pytest.mark.parametrize(
        ("name", "shape", "words"),
        [
            (
                "cyclegan-2d",
                (1, 1, 30, 32),
                "found 30 for its depth, .* multiple of 4 from 8 ",
            ),
            ("cyclegan-2d", (1, 1, 32, 34), "found 34 for its width"),
            ("cyclegan-2d", (1, 1, 4, 32), "found 4 for its depth"),
            ("cyclegan-2d", (1, 3, 32, 32), r"found the shape \(1, 3, 32, 32\), wanted \(clips, 1"),
            ("cyclegan-2d", (1, 1, 8, 32, 32), "found the shape"),
            ("cyclegan-3d", (1, 1, 10, 32, 32), "found 10 for its frames, wanted a multiple of 4"),
            ("cyclegan-3d", (1, 1, 4, 32, 32), "found 4 for its frames"),
            ("cyclegan-3d", (1, 1, 8, 33, 32), "found 33 for its depth"),
            ("cyclegan-3d", (1, 1, 32, 32), "found the shape"),
            ("cyclegan-3d-stride1", (1, 1, 3, 32, 32), "found 3 for its frames, wanted 4 or more"),
        ],
    )
    def test_a_clip_that_does_not_fit_the_generator_is_refused(self, name, shape, words):
        model = outline(small(name))
        with pytest.raises(InputError, match=words) as caught:
            model.generator_b2a(torch.zeros(shape, device="meta"))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("dimensions", [2, 3])
    @pytest.mark.parametrize("stride", [1, 2])
    def test_the_least_sizes_work(self, dimensions, stride):
        generator = ResNetGenerator(dimensions, maps=1, blocks=1, stride_in_time=stride)
        clip = normal(1, 1, *generator.least)
        assert generator(clip).shape == clip.shape
        judge = PatchDiscriminator(dimensions, maps=1, stride_in_time=stride, affine=True)
        least = judge.least
        assert judge(normal(1, 1, *least)).shape == (1, 1, *[1] * dimensions)
        for axis in range(dimensions):
            size = [n - (i == axis) for i, n in enumerate(least)]
            with pytest.raises(InputError, match=f"wanted {least[axis]} or more"):
                judge(normal(1, 1, *size))

    def test_the_predictor_takes_frames_that_can_be_halved(self):
        predictor = UNetPredictor(maps=1, depth=3)
        assert predictor(normal(1, 2, 8, 24)).shape == (1, 1, 8, 24)
        with pytest.raises(InputError, match="found 12 for its depth, wanted a multiple of 8"):
            predictor(normal(1, 2, 12, 24))
        with pytest.raises(InputError, match="found the shape"):
            predictor(normal(1, 1, 8, 24))

    @pytest.mark.parametrize(
        ("name", "size", "words"),
        [
            ("cyclegan-2d", (30, 32), "found 30"),
            ("cyclegan-2d", (20, 32), "found 20 for its depth, wanted 24"),
            ("recyclegan", (36, 36), "found 36 for its depth, wanted a multiple of 8"),
            ("cyclegan-3d", (16, 32, 32), "found 16 for its frames, wanted 24"),
            ("cyclegan-3d-stride1", (5, 32, 32), "found 5 for its frames, wanted 6"),
        ],
    )
    def test_a_model_tells_early_what_its_training_would_refuse(self, name, size, words):
        with pytest.raises(InputError, match=words):
            outline(small(name)).check_size(size)


class TestAgainstFunctionalVersions:
    """The same parameters, in the order in which they are held, through plain functions."""

    @pytest.mark.parametrize("dimensions", [2, 3])
    @pytest.mark.parametrize("stride", [1, 2])
    @pytest.mark.parametrize("output", ["linear", "tanh"])
    def test_generator(self, dimensions, stride, output):
        affine = dimensions == 3
        generator = filled(
            ResNetGenerator(
                dimensions,
                maps=2,
                blocks=2,
                stride_in_time=stride,
                affine=affine,
                noise=True,
                output=output,
            )
        ).double()
        values = iter(p for n, p in generator.named_parameters() if not n.endswith("noise.scale"))
        convolve = getattr(functional, f"conv{dimensions}d")
        transpose = getattr(functional, f"conv_transpose{dimensions}d")
        strides = (stride, 2, 2)[-dimensions:]

        def pad(x, width):
            return functional.pad(x, [width] * 2 * dimensions, mode="reflect")

        def norm(x):
            scales = (next(values), next(values)) if affine else (None, None)
            return functional.instance_norm(x, weight=scales[0], bias=scales[1])

        clip = normal(2, 1, *(8, 12, 8)[-dimensions:], dtype=torch.float64)
        images = noise_images([5, 6], 4, (3, 2))
        with torch.no_grad():
            x = convolve(pad(clip, 3), next(values), next(values)).clone()
            x = norm(x).relu()
            for _ in range(2):
                x = norm(convolve(x, next(values), next(values), strides, 1)).relu()
            for block in range(2):
                y = x
                for i in range(2):
                    y = convolve(pad(y, 1), next(values), next(values))
                    added = generator.noise_scales()[2 * block + i] * images[2 * block + i]
                    # The same for all maps and frames of a clip.
                    y = torch.stack([one + image for one, image in zip(y, added, strict=True)])
                    y = norm(y)
                    y = y.relu() if i == 0 else y
                x = x + y
            for _ in range(2):
                lost = tuple(s - 1 for s in strides)
                x = norm(transpose(x, next(values), next(values), strides, 1, lost)).relu()
            x = convolve(pad(x, 3), next(values), next(values))
            x = x.tanh() if output == "tanh" else x
            assert next(values, None) is None
            torch.testing.assert_close(generator(clip, noise=[5, 6]), x)

    @pytest.mark.parametrize("dimensions", [2, 3])
    @pytest.mark.parametrize("stride", [1, 2])
    def test_discriminator(self, dimensions, stride):
        affine = dimensions == 3
        judge = filled(PatchDiscriminator(dimensions, maps=2, stride_in_time=stride, affine=affine))
        judge.double()
        values = iter(judge.parameters())
        convolve = getattr(functional, f"conv{dimensions}d")
        clip = normal(2, 1, *(24, 32, 24)[-dimensions:], dtype=torch.float64)
        strides = (stride, 2, 2)[-dimensions:]
        with torch.no_grad():
            x = functional.leaky_relu(convolve(clip, next(values), next(values), strides, 1), 0.2)
            for step in (strides, strides, 1):
                x = convolve(x, next(values), next(values), step, 1)
                scales = (next(values), next(values)) if affine else (None, None)
                x = functional.instance_norm(x, weight=scales[0], bias=scales[1])
                x = functional.leaky_relu(x, 0.2)
            x = convolve(x, next(values), next(values), 1, 1)
            assert next(values, None) is None
            torch.testing.assert_close(judge(clip), x)

    def test_predictor(self):
        predictor = filled(UNetPredictor(maps=2, depth=5)).double()
        pairs = [(m.weight, m.bias) for m in predictor.modules() if is_convolution(m)]
        frames = normal(2, 2, 32, 64, dtype=torch.float64)

        def level(x, depth):
            """Go down, through all that is deeper, and up again, as Isola et al. nest it."""
            down = functional.conv2d(functional.leaky_relu(x, 0.2), *pairs[depth], 2, 1)
            if depth < 4:
                down = level(functional.instance_norm(down), depth + 1)
            up = functional.conv_transpose2d(down.relu(), *pairs[9 - depth], 2, 1)
            return torch.cat([x, functional.instance_norm(up)], 1)

        with torch.no_grad():
            inner = level(functional.conv2d(frames, *pairs[0], 2, 1), 1)
            expected = functional.conv_transpose2d(inner.relu(), *pairs[9], 2, 1)
            torch.testing.assert_close(predictor(frames), expected)


class TestReceptiveFields:
    @pytest.mark.parametrize(
        ("name", "generator", "discriminator"),
        [
            ("cyclegan-2d", (169, 169), (70, 70)),
            ("cyclegan-3d", (121, 121, 121), (70, 70, 70)),
            ("cyclegan-3d-stride1", (45, 121, 121), (16, 70, 70)),
        ],
    )
    def test_published_models(self, name, generator, discriminator):
        model = outline(MODELS[name])
        assert receptive_field(model.generator_a2b) == generator
        assert receptive_field(model.discriminator_a) == discriminator

    def test_a_patch_has_70_pixels(self):
        judge = without_norms(PatchDiscriminator(2, maps=1))
        seen = dependence(judge, (160, 160), (9, 9))
        assert [b - a + 1 for a, b in seen] == [70, 70]

    @pytest.mark.parametrize("stride", [1, 2])
    def test_of_a_discriminator_in_time(self, stride):
        judge = without_norms(PatchDiscriminator(3, maps=1, layers=2, stride_in_time=stride))
        seen = dependence(judge, (48, 48, 48), (23 if stride == 1 else 5, 5, 5))
        assert tuple(b - a + 1 for a, b in seen) == receptive_field(judge)

    @pytest.mark.parametrize("stride", [1, 2, None])
    def test_of_a_generator_are_what_its_gradients_show(self, stride):
        dimensions = 2 if stride is None else 3
        generator = without_norms(
            ResNetGenerator(dimensions, maps=1, blocks=1, stride_in_time=stride or 2)
        )
        for axis in range(dimensions):
            # Long along one axis alone: what the others show of it is cut off, not moved.
            size = [48 if i == axis else 12 for i in range(dimensions)]
            spans = []
            for phase in range(4):
                position = [22 + phase if i == axis else 6 for i in range(dimensions)]
                first, last = dependence(generator, size, position)[axis]
                spans.append((22 + phase - first, last - 22 - phase))
            assert reach(generator)[axis] == tuple(max(ends) for ends in zip(*spans, strict=True))
            assert receptive_field(generator)[axis] == max(sum(span) + 1 for span in spans)
            assert 0 < min(first for first, _ in spans) <= 22

    def test_of_a_predictor(self):
        predictor = without_norms(UNetPredictor(maps=1, depth=2))
        widths = [dependence(predictor, (40, 40), (20 + i, 20), 2)[0] for i in range(4)]
        assert receptive_field(predictor)[0] == max(b - a + 1 for a, b in widths)

    @pytest.mark.parametrize("stride", [1, 2])
    def test_inside_its_reach_a_window_equals_the_whole(self, stride):
        generator = without_norms(
            filled(ResNetGenerator(3, maps=2, blocks=1, stride_in_time=stride, noise=True)),
            positive=False,
        )
        whole = normal(1, 1, 80, 12, 8, dtype=torch.float64)
        (before, after), *_ = reach(generator)
        start, stop = 8, 76
        with torch.no_grad():
            expected = generator(whole, noise=[3])[:, :, start:stop]
            found = generator(whole[:, :, start:stop], noise=[3])
        inside = slice(before, stop - start - after)
        torch.testing.assert_close(found[:, :, inside], expected[:, :, inside])
        assert not torch.allclose(found[:, :, :before], expected[:, :, :before])


class TestLayers:
    @pytest.mark.parametrize("affine", [False, True])
    @pytest.mark.parametrize("size", [(5, 4), (3, 5, 4)])
    def test_norm_against_numpy(self, size, affine):
        norm = filled(InstanceNorm(3, affine))
        x = normal(2, 3, *size)
        flat = x.numpy().reshape(2, 3, -1).astype(np.float64)
        expected = flat - flat.mean(-1, keepdims=True)
        expected /= np.sqrt(flat.var(-1, keepdims=True) + 1e-5)
        if norm.weight is not None and norm.bias is not None:
            expected *= norm.weight.detach().numpy()[:, None]
            expected += norm.bias.detach().numpy()[:, None]
        found = norm(x).detach().numpy().reshape(2, 3, -1)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
    @pytest.mark.parametrize("affine", [False, True])
    def test_norm_of_half_precision_is_that_of_float32_rounded(self, kind, affine):
        norm = filled(InstanceNorm(3, affine))
        x = (normal(2, 3, 40, 40) + 20).to(kind)
        with torch.autocast("cpu", torch.bfloat16):
            found = norm(x)
        assert found.dtype == kind
        assert torch.equal(found, norm(x.float()).to(kind))

    def test_norm_of_float64_stays_so(self):
        assert InstanceNorm(1, True)(normal(1, 1, 3, 3, dtype=torch.float64)).dtype == torch.float64

    @pytest.mark.parametrize("width", [1, 3])
    @pytest.mark.parametrize("dimensions", [2, 3])
    def test_padding_by_parts_is_torchs(self, width, dimensions):
        x = normal(2, 2, *(5, 4, 6)[-dimensions:], dtype=torch.float64).requires_grad_()
        found = reflect_by_parts(x, width, dimensions)
        expected = ReflectionPad(width, dimensions)(x)
        assert torch.equal(found, expected)
        weight = normal(*found.shape, dtype=torch.float64)
        gradients = [torch.autograd.grad((y * weight).sum(), x)[0] for y in (found, expected)]
        torch.testing.assert_close(*gradients)

    def test_padding_mirrors_time(self):
        clip = torch.arange(5.0).reshape(1, 1, 5, 1, 1).expand(1, 1, 5, 4, 4)
        padded = ReflectionPad(3, 3)(clip)
        assert padded.shape == (1, 1, 11, 10, 10)
        assert padded[0, 0, :, 5, 5].tolist() == [3, 2, 1, 0, 1, 2, 3, 4, 3, 2, 1]


class TestAutocast:
    @pytest.mark.parametrize("name", MODELS)
    def test_norms_run_in_float32(self, name, monkeypatch):
        seen = []
        plain = functional.instance_norm

        def watched(x, **options):
            y = plain(x, **options)
            seen.append(
                (
                    x.dtype,
                    y.dtype,
                    {
                        v.dtype
                        for v in options.values()
                        if v is not None and isinstance(v, torch.Tensor)
                    },
                )
            )
            return y

        monkeypatch.setattr(layers.functional, "instance_norm", watched)
        architecture = small(name)
        model = build(architecture, 1)
        clip = normal(1, 1, *(24, 24, 24)[-architecture.dimensions :])
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            found = model.generator_a2b(clip, noise=[1])
            scores = model.discriminator_b(found)
            if model.predictor_b is not None:
                model.predictor_b(torch.cat([found, found], 1))
        assert found.dtype == scores.dtype == torch.bfloat16
        assert len(seen) > 8
        for entry in seen:
            assert entry[:2] == (torch.float32, torch.float32)
            assert entry[2] <= {torch.float32}

    def test_the_result_is_near_that_of_float32(self):
        generator = filled(ResNetGenerator(3, maps=4, blocks=2, affine=True, noise=True))
        clip = normal(1, 1, 8, 16, 16)
        with torch.no_grad():
            exact = generator(clip, noise=[1])
            with torch.autocast("cpu", torch.bfloat16):
                half = generator(clip, noise=[1])
        assert (half.float() - exact).abs().mean() < 0.05 * exact.abs().mean()


class TestNoise:
    def test_with_scales_of_zero_there_is_none(self):
        noisy = build(small("cyclegan-3d-noise"), 4)
        quiet = build(small("cyclegan-3d-stride1"), 4)
        clip = normal(2, 1, 6, 16, 12)
        with torch.no_grad():
            expected = quiet.generator_a2b(clip)
            assert torch.equal(noisy.generator_a2b(clip, noise=[1, 2]), expected)
            assert torch.equal(noisy.generator_a2b(clip), expected)
            noisy.generator_a2b.blocks[0].second.noise.scale.fill_(0.5)
            assert not torch.allclose(noisy.generator_a2b(clip, noise=[1, 2]), expected)
            assert torch.equal(noisy.generator_a2b(clip), expected)

    def test_all_frames_and_maps_share_an_image(self):
        injection = filled(NoiseInjection())
        image = normal(2, 4, 5)
        x = normal(2, 3, 6, 4, 5, dtype=torch.float64)
        added = (injection(x, image) - x).detach()
        expected = injection.scale.detach() * image[:, None, None]
        torch.testing.assert_close(added, expected.expand_as(x).double(), atol=1e-12, rtol=1e-6)

    @pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
    def test_features_keep_their_type(self, kind):
        injection = filled(NoiseInjection())
        assert injection(normal(1, 3, 6, 4, 5).to(kind), normal(1, 4, 5)).dtype == kind

    def test_images_follow_key_and_layer_alone(self):
        images = noise_images([7, (7, 2), 8], 3, (6, 5))
        assert images.shape == (3, 3, 6, 5)
        assert images.dtype == torch.float32
        assert torch.equal(noise_images([8, 7], 2, (6, 5)), images[:2, [2, 0]])
        assert torch.equal(noise_images([(7,)], 3, (6, 5)), images[:, :1])
        flat = images.reshape(9, -1)
        assert len(torch.unique(flat, dim=0)) == 9

    def test_zeros_at_the_end_of_a_key_tell_keys_apart(self):
        images = noise_images([3, (3, 0), (3, 0, 0)], 2, (4, 4))
        assert len(torch.unique(images.reshape(6, -1), dim=0)) == 6

    def test_images_are_standard_normal(self):
        images = noise_images(range(20), 5, (30, 30))
        n = images.numel()
        assert abs(images.mean()) < 5 / n**0.5
        assert abs(images.var() - 1) < 5 * (2 / n) ** 0.5

    def test_a_clip_receives_the_noise_of_its_key_in_any_batch(self):
        generator = ResNetGenerator(3, maps=2, blocks=1, stride_in_time=1, noise=True)
        filled(generator).double()
        clips = normal(3, 1, 5, 8, 8, dtype=torch.float64)
        with torch.no_grad():
            together = generator(clips, noise=[(0, 5), (0, 6), (0, 7)])
            alone = generator(clips[1:2], noise=[(0, 6)])
            other = generator(clips[1:2], noise=[(0, 7)])
        torch.testing.assert_close(together[1:2], alone)
        assert not torch.allclose(alone, other)

    def test_nothing_is_drawn_from_the_global_generators(self):
        states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
        generator = build(small("cyclegan-3d-noise"), 1).generator_a2b
        generator(normal(1, 1, 4, 8, 8), noise=[1])
        assert torch.equal(torch.get_rng_state(), states[0])
        assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002

    def test_there_is_one_key_for_each_clip(self):
        generator = ResNetGenerator(2, maps=1, blocks=1, noise=True)
        with pytest.raises(InputError, match="found 1 keys for 2 clips"):
            generator(normal(2, 1, 8, 8), noise=[1])


class TestBuilding:
    def test_weights_follow_the_seed(self):
        first, again, other = (build(small("recyclegan"), seed) for seed in (3, 3, 4))
        for (name, value), same, different in zip(
            first.named_parameters(), again.parameters(), other.parameters(), strict=True
        ):
            assert torch.equal(value, same)
            if name.endswith("weight"):
                assert not torch.equal(value, different)

    def test_networks_of_a_model_differ(self):
        model = build(small("cyclegan-2d"), 3)
        assert not torch.equal(
            next(model.generator_a2b.parameters()), next(model.generator_b2a.parameters())
        )
        assert not torch.equal(
            next(model.discriminator_a.parameters()), next(model.discriminator_b.parameters())
        )

    def test_a_network_begins_the_same_in_models_that_share_it(self):
        plain, more = build(small("cyclegan-2d"), 3), build(small("recyclegan"), 3)
        shared = plain.state_dict()
        assert all(torch.equal(more.state_dict()[name], shared[name]) for name in shared)
        assert len(more.state_dict()) > len(shared)

    @pytest.mark.parametrize("name", MODELS)
    def test_every_parameter_is_initialised(self, name):
        model = build(small(name, maps=6, blocks=2), 0)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(torch.nan)
        initialise(model, torch.Generator().manual_seed(0))
        weights = []
        for module in model.modules():
            own = dict(module.named_parameters(recurse=False))
            if is_convolution(module):
                weights.append(own["weight"].detach().flatten())
                assert not own["bias"].any()
            elif isinstance(module, InstanceNorm) and own:
                assert torch.equal(own["weight"], torch.ones_like(own["weight"]))
                assert not own["bias"].any()
            elif isinstance(module, NoiseInjection):
                assert own["scale"] == 0
            else:
                assert not own
        values = torch.cat(weights)
        assert abs(values.mean()) < 5 * 0.02 / len(values) ** 0.5
        assert abs(values.std() / 0.02 - 1) < 5 / (2 * len(values)) ** 0.5

    @pytest.mark.parametrize("name", MODELS)
    def test_gradients_reach_all_parameters(self, name):
        architecture = small(name)
        model = filled(build(architecture, 0), deviation=0.2)
        clip = normal(1, 1, *(24, 24, 24)[-architecture.dimensions :])
        there = model.generator_a2b(clip, noise=[1])
        back = model.generator_b2a(there)
        loss = (back - clip).abs().mean() + model.discriminator_b(there).square().mean()
        loss = loss + model.discriminator_a(back).square().mean()
        for predictor in (model.predictor_a, model.predictor_b):
            if predictor is not None:
                loss = loss + (predictor(torch.cat([clip, there], 1)) - clip).abs().mean()
        loss.backward()
        for place, parameter in model.named_parameters():
            assert parameter.grad is not None, place
            assert parameter.grad.isfinite().all(), place
            # A plain norm takes out whatever bias comes before it.
            if not place.endswith("bias"):
                assert parameter.grad.any(), place

    def test_a_state_is_loaded_without_pickle(self):
        model = build(small("cyclegan-3d-noise"), 1)
        file = BytesIO()
        torch.save(model.state_dict(), file)
        file.seek(0)
        other = build(small("cyclegan-3d-noise"), 2)
        other.load_state_dict(torch.load(file, weights_only=True))
        pairs = zip(model.parameters(), other.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)

    def test_channels_last_gives_the_same(self):
        model = filled(build(small("cyclegan-3d-noise"), 1)).double()
        clip = normal(2, 1, 8, 24, 24, dtype=torch.float64)
        with torch.no_grad():
            fake = model.generator_a2b(clip, noise=[1, 2])
            scores = model.discriminator_b(fake)
            model.to(memory_format=torch.channels_last_3d)  # pyright: ignore
            clip = clip.to(memory_format=torch.channels_last_3d)
            torch.testing.assert_close(model.generator_a2b(clip, noise=[1, 2]), fake)
            torch.testing.assert_close(model.discriminator_b(fake), scores)

    def test_clips_of_a_batch_have_no_influence_on_one_another(self):
        model = filled(build(small("cyclegan-3d"), 1)).double()
        clips = normal(2, 1, 24, 24, 24, dtype=torch.float64)
        with torch.no_grad():
            for network in (model.generator_a2b, model.discriminator_a):
                alone = torch.cat([network(clip[None]) for clip in clips])
                torch.testing.assert_close(network(clips), alone)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"dimensions": 4}, "dimensions: found 4"),
            ({"maps": 0}, "maps: found 0"),
            ({"blocks": 1.5}, "blocks: found 1.5"),
            ({"stride_in_time": 3}, "stride_in_time: found 3"),
            ({"output": "relu"}, "output: found 'relu', wanted one of linear, tanh"),
            ({"temporal_predictor": True}, "temporal_predictor: found with 3 dimensions"),
            ({"dimensions": 2, "temporal_predictor": True, "frames": 2}, "frames: found 2"),
        ],
    )
    def test_what_is_no_architecture_is_refused(self, changes, words):
        with pytest.raises(InputError, match=words):
            Architecture(**changes)

    def test_a_seed_is_checked(self):
        with pytest.raises(InputError, match="seed: found -1"):
            build(small("cyclegan-2d"), -1)
