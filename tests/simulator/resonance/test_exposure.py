"""Scans against slow, obvious versions, closed forms and moments."""

import dataclasses

import numpy as np
import pytest

from musim.simulator.resonance import exposure
from musim.simulator.resonance.contrast import OFFSETS, contrast_of
from musim.simulator.resonance.exposure import draw_settings, expose, rotation
from musim.simulator.resonance.exposure_kernels import field_offset
from musim.simulator.resonance.scan import Scan
from musim.simulator.resonance.signals import MAIN_PEAK, shift_of
from musim.simulator.resonance.tissues import FAT, HAND_TISSUES, MUSCLE, Tissue

STILL = {"turn": 0, "shift": 0, "inhomogeneity": 0, "shading": 0}
EVEN = [Tissue(label=t.label, name=t.name, water=t.water, t1=t.t1, t2=t.t2, t2_star=t.t2_star,
               fat=t.fat if t.label == FAT else 0) for t in HAND_TISSUES]  # fmt: skip
"""Tissues without variation from place to place, of water alone or nearly of fat alone."""


def ball(radius, label, around=0):
    """Return labels of a ball in the volume's middle."""

    def labels(origin, step, shape, motion):
        z, y, x = (
            origin[axis] + step * np.arange(count)
            for axis, count in zip((2, 1, 0), shape, strict=True)
        )
        places = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1) - motion[1]
        own = places @ motion[0]  # the inverse of a rotation is its transpose
        inside = (own**2).sum(axis=-1) < radius**2
        return np.where(inside, label, around).astype(np.uint8)

    return labels


def scan_of(**changes):
    return Scan(extent=(24, 24, 24), voxel=2, **{**STILL, "snr": "inf", "snr_b": "inf", **changes})


def test_a_voxel_shows_the_mean_of_its_points():
    scan = scan_of(samples=4, bandwidth=1e5, bandwidth_b=1e5)
    found = expose(ball(9, MUSCLE), EVEN, scan, scan.shape, 1, 0)
    gradient, spin = contrast_of(scan, EVEN).on_resonance(MUSCLE)
    points = (np.arange(48) - 23.5) / 2  # four along each edge of 2 mm
    inside = points[:, None, None] ** 2 + points[:, None] ** 2 + points**2 < 81
    share = inside.reshape(12, 4, 12, 4, 12, 4).mean(axis=(1, 3, 5))
    assert 0.05 < ((share > 0) & (share < 1)).mean() < 0.5
    for image, signal in ((found.image, gradient), (found.image_b, spin)):
        assert image / image.max() == pytest.approx(share, abs=2e-3), signal
    assert np.array_equal(found.tissue, np.where(share > 0.5, MUSCLE, 0))


def test_what_moves_between_the_two_is_seen_there():
    scan = scan_of(turn=30, shift=4, samples=2)
    settings = draw_settings(scan, np.full(3, 12.0), 5, 2)
    turn, shift = settings.motion
    assert turn @ turn.T == pytest.approx(np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)
    assert 0 < np.abs(shift).max() <= 4
    found = expose(ball(6, MUSCLE), EVEN, scan, scan.shape, 5, 2)
    axes = np.stack(np.meshgrid(*[(np.arange(12) - 5.5) * 2] * 3, indexing="ij"))
    centres = [
        (axes * image).sum(axis=(1, 2, 3)) / image.sum() for image in (found.image, found.image_b)
    ]
    assert centres[0] == pytest.approx(np.zeros(3), abs=0.1)
    assert centres[1] == pytest.approx(shift, abs=0.1)


def test_fat_is_shifted_along_the_hand_by_its_frequency():
    scan = scan_of(bandwidth_b=434.3, samples=2)
    fat = [Tissue(label=1, name="fat", fat=1.0)]
    found = expose(ball(6, 1), fat, scan, scan.shape, 1, 0).image_b
    where = (np.arange(12) * found.sum(axis=(0, 1))).sum() / found.sum()
    assert where == pytest.approx(5.5 - 1, abs=0.01)  # one voxel down: fat's frequency is lower
    assert (np.arange(12) * found.sum(axis=(0, 2))).sum() / found.sum() == pytest.approx(5.5, 1e-3)


def test_noise_is_that_of_magnitudes():
    snr = 8.0
    scan = Scan(extent=(40, 40, 40), voxel=1, samples=1, coils=1, coil_radius=500,
                **{**STILL, "shading": 1}, snr=snr, snr_b=snr)  # fmt: skip
    found = expose(ball(14, MUSCLE), EVEN, scan, scan.shape, 3, 0)
    air = found.image[found.tissue == 0]
    sd = 300 / snr  # of either channel: muscle without noise is 300
    # Rayleigh's moments (Gudbjartsson and Patz 1995, doi:10.1002/mrm.1910340618).
    assert air.mean() == pytest.approx(sd * np.sqrt(np.pi / 2), rel=0.01)
    assert air.std() == pytest.approx(sd * np.sqrt(2 - np.pi / 2), rel=0.01)
    inside = found.image[found.tissue == MUSCLE].astype(float)
    quiet = expose(ball(14, MUSCLE), EVEN, Scan.from_json(
        {**scan.to_json(), "snr": ["inf", "inf"], "snr_b": ["inf", "inf"]}
    ), scan.shape, 3, 0).image[found.tissue == MUSCLE].astype(float)  # fmt: skip
    # The second moment of Rice's distribution is exact.
    assert (inside**2).mean() == pytest.approx((quiet**2).mean() + 2 * sd**2, rel=0.01)


def test_noise_of_either_sequence_follows_from_its_own_ratio():
    scan = scan_of(snr=8, snr_b=25, samples=1, coils=1, coil_radius=500, shading=1)
    found = expose(ball(0.1, MUSCLE), EVEN, scan, scan.shape, 3, 0)
    # In air, Rayleigh's second moment: 300 of muscle and 800 of fat are without noise.
    for image, sd in ((found.image, 300 / 8), (found.image_b, 800 / 25)):
        assert (image.astype(float) ** 2).mean() == pytest.approx(2 * sd**2, rel=0.1)
    settings = draw_settings(scan, np.full(3, 12.0), 3, 0)
    assert (settings.snr, settings.snr_b) == (8, 25)


def test_every_scan_has_noise_motion_and_grain_of_its_own():
    scan = scan_of(snr=20, snr_b=20, samples=1, turn=5, shift=2)
    one, other = (expose(ball(0.1, MUSCLE), EVEN, scan, scan.shape, 1, index) for index in (0, 1))
    for name in ("image", "image_b"):
        pair = [getattr(each, name).ravel() for each in (one, other)]
        assert abs(np.corrcoef(*pair)[0, 1]) < 0.1
    assert np.abs(one.motion[0] - other.motion[0]).max() > 1e-4
    assert np.abs(one.motion[1] - other.motion[1]).max() > 1e-2
    grainy = [Tissue(label=1, name="grainy", water=1.0, grain=0.1)]
    quiet = scan_of(samples=1)
    fields = [expose(ball(100, 1), grainy, quiet, quiet.shape, 1, index).image.ravel()
              for index in (0, 1)]  # fmt: skip
    assert abs(np.corrcoef(*fields)[0, 1]) < 0.15


def test_grain_lies_in_the_tissue_and_moves_with_it():
    quiet = scan_of(samples=1)
    grainy = [Tissue(label=1, name="grainy", water=1.0, grain=0.1)]
    still = expose(ball(100, 1), grainy, quiet, quiet.shape, 1, 0)
    grain = still.image / still.image.mean() - 1
    # In closed form, of numbers from -1 to 1 with weights 3 t^2 - 2 t^3 along each axis.
    sd = 2.05 * np.sqrt((26 / 35) ** 3 / 3)
    assert grain.std() == pytest.approx(0.1 * sd, rel=0.1)
    # Density is of both sequences; what changes T2 alone does not show in T1.
    assert np.corrcoef(still.image.ravel(), still.image_b.ravel())[0, 1] > 0.999
    slow = [Tissue(label=1, name="slow", water=1.0, grain=0.1, t2_grain=0.1)]
    both = expose(ball(100, 1), slow, quiet, quiet.shape, 1, 0)
    assert both.image == pytest.approx(still.image)
    own = (both.image_b / still.image_b).ravel()
    assert own.std() == pytest.approx(0.1 * sd, rel=0.1)
    assert abs(np.corrcoef(own, grain.ravel())[0, 1]) < 0.15


def test_a_moved_body_takes_its_grain_along(monkeypatch):
    quiet = scan_of(samples=1)
    grainy = [Tissue(label=1, name="grainy", water=1.0, grain=0.1)]
    drawn = draw_settings(quiet, np.full(3, 12.0), 1, 0)
    quarter = rotation(np.array([0, 0, np.pi / 2]))
    # By a quarter turn about z and two voxels along x, as whole voxels go.
    moved = dataclasses.replace(drawn, motion=(quarter, np.array([4.0, 0, 0])))
    monkeypatch.setattr(exposure, "draw_settings", lambda *given: moved)
    found = expose(ball(100, 1), grainy, quiet, quiet.shape, 1, 0)
    # (x, y) comes to (-y + 4, x).
    before = found.image / found.image.mean()
    after = found.image_b / found.image_b.mean()
    for i, j in ((2, 3), (5, 6), (9, 2)):
        at = 11 - j + 2, i
        if at[0] < 12:
            assert after[at] == pytest.approx(before[i, j], abs=0.01)


def test_turns_are_drawn_in_degrees_and_the_field_has_the_spread_that_is_asked_for():
    turns, spreads = [], []
    axes = (np.arange(16) + 0.5) / 8 - 1
    x, y, z = np.meshgrid(axes, axes, axes, indexing="ij")
    for index in range(40):
        drawn = draw_settings(scan_of(turn=2, inhomogeneity=15), np.full(3, 12.0), 1, index)
        trace = (np.trace(drawn.motion[0]) - 1) / 2
        turns.append(np.degrees(np.arccos(np.clip(trace, -1, 1))))
        spreads.append(field_offset.py_func(x, y, z, drawn.terms).std())
    assert 1 < np.mean(turns) < max(turns) < 2 * np.sqrt(3) + 0.01
    # Each field as wide as is asked for, but for products that its middle's mean is not taken of.
    assert np.median(spreads) == pytest.approx(15, rel=0.05)


def test_the_field_is_that_of_its_terms_over_the_volume():
    scan = scan_of(inhomogeneity=15, samples=1)
    drawn = draw_settings(scan, np.full(3, 12.0), 6, 0)
    found = expose(ball(100, FAT), EVEN, scan, scan.shape, 6, 0).image
    contrast = contrast_of(scan, EVEN)
    centres = (np.arange(12) - 5.5) * 2 / 12  # in half edges
    x, y, z = np.meshgrid(centres, centres, centres, indexing="ij")
    off = field_offset.py_func(x, y, z, drawn.terms)
    parts = [np.interp(off, OFFSETS, part) for part in
             (contrast.water[FAT], contrast.fat[FAT].real, contrast.fat[FAT].imag)]  # fmt: skip
    # Fat is shifted along z by a fraction of a voxel: what lies between is the mean of both.
    shift = float(shift_of(MAIN_PEAK, 3.0)) / scan.bandwidth
    down = int(np.floor(-shift))
    rest = -shift - down
    lipid = parts[1] + 1j * parts[2]
    inside = np.s_[:, :, : 12 - down - 1]
    moved = (1 - rest) * lipid[:, :, down : 12 - 1] + rest * lipid[:, :, down + 1 :]
    expected = np.abs(parts[0][inside] + moved)
    assert off.std() > 8
    assert found[inside] / found[inside].mean() == pytest.approx(
        expected / expected.mean(), rel=2e-3
    )


def test_noise_depends_on_the_seed_alone_and_differs_between_the_two():
    scan = scan_of(snr=20, snr_b=20, samples=1)
    one, again, other = (
        expose(ball(0.1, MUSCLE), EVEN, scan, scan.shape, seed, 0) for seed in (1, 1, 2)
    )
    assert one.image.tobytes() == again.image.tobytes()
    assert one.image_b.tobytes() == again.image_b.tobytes()
    assert abs(np.corrcoef(one.image.ravel(), other.image.ravel())[0, 1]) < 0.1
    assert abs(np.corrcoef(one.image.ravel(), one.image_b.ravel())[0, 1]) < 0.1


def test_the_array_is_brightest_near_its_elements_unless_it_is_divided_by():
    def seen(shading):
        scan = scan_of(shading=shading, coils=2, coil_radius=10, samples=1)
        return expose(ball(100, MUSCLE), EVEN, scan, scan.shape, 1, 0)

    # All of the volume is muscle.
    even, shaded = (seen(shading).image for shading in (0, 1))
    assert even == pytest.approx(np.full(even.shape, even.mean()), rel=1e-3)
    settings = draw_settings(scan_of(shading=1, coils=2, coil_radius=10), np.full(3, 12.0), 1, 0)
    places = (np.stack(np.meshgrid(*[np.arange(12)] * 3, indexing="ij"), -1) - 5.5) * 2
    away = ((places[..., None, :] - settings.coils) ** 2).sum(-1)
    # On its axis the field of a loop falls with the cube of the distance over the radius.
    expected = np.sqrt((((1 + away / 100) ** -1.5) ** 2).sum(-1))
    assert shaded / shaded.mean() == pytest.approx(expected / expected.mean(), rel=1e-3)


def test_a_field_that_is_off_makes_fat_uneven_in_t1():
    right, off = (
        expose(ball(100, FAT), EVEN, scan_of(inhomogeneity=size, samples=1), (12, 12, 12), 1, 0)
        for size in (0, 60)
    )
    # Where its main line is excited, or where the others are not.
    inside = np.s_[:, :, :-2]  # fat is shifted out of the volume's end
    assert right.image[inside].std() < 1e-3 * right.image[inside].mean()
    assert off.image[inside].std() > 0.4 * off.image[inside].mean()
    assert off.image_b == pytest.approx(right.image_b)


def test_rotations_are_about_x_then_y_then_z():
    quarter = np.pi / 2
    assert rotation(np.array([quarter, 0, 0])) @ [0, 1, 0] == pytest.approx([0, 0, 1])
    assert rotation(np.array([0, quarter, 0])) @ [0, 0, 1] == pytest.approx([1, 0, 0])
    assert rotation(np.array([quarter, 0, quarter])) @ [0, 0, 1] == pytest.approx([1, 0, 0])
