"""What tissues show: as the paper says, and as their relaxation times are tabulated."""

import dataclasses

import numpy as np
import pytest

from musim.simulator.resonance.contrast import contrast_of, reference_signals, with_marrow
from musim.simulator.resonance.scan import Scan
from musim.simulator.resonance.signals import (
    fast_spin_echo,
    fat_gradient_echo,
    spoiled_gradient_echo,
)
from musim.simulator.resonance.tissues import (
    BRAIN_TISSUES,
    CARTILAGE,
    CORTEX,
    FAT,
    FLUID,
    HAND_TISSUES,
    MARROW,
    MUSCLE,
    RED_MARROW,
    TENDON,
    Tissue,
)


@pytest.fixture
def seen():
    contrast = contrast_of(Scan(), HAND_TISSUES)
    return {tissue.label: contrast.on_resonance(tissue.label) for tissue in HAND_TISSUES}


def test_fat_is_dark_and_water_grey_in_t1_and_both_are_bright_in_t2(seen):
    # Grant-Jacob et al. 2021: "fat ... low signal intensity and water ... intermediate" in T1 with
    # water excitation, "both fat and water as high signal" in T2.
    t1, t2 = ({label: pair[kind] for label, pair in seen.items()} for kind in (0, 1))
    assert t1[FAT] < 0.2 * t1[FLUID] < t1[FLUID] < t1[MUSCLE]
    assert min(t2[FAT], t2[FLUID]) > 3 * t2[MUSCLE]
    assert t2[MUSCLE] > 10 * t2[TENDON]
    assert t2[MARROW] > 0.8 * t2[FAT]
    for dark in (CORTEX, TENDON):
        assert t1[dark] < 0.1 * t1[MUSCLE]
        assert t2[dark] < 0.02 * t2[FAT]


def test_t1_alone_does_not_tell_t2(seen):
    # Alike in T1, and several times apart in T2: muscle or cartilage and nerve or fluid, tendon and
    # fat.
    for one, other in ((TENDON, FAT), (CARTILAGE, FLUID), (TENDON, MARROW)):
        assert abs(seen[one][0] - seen[other][0]) < 0.3 * seen[MUSCLE][0]
        assert max(seen[one][1], seen[other][1]) > 2.9 * min(seen[one][1], seen[other][1])


def test_without_water_excitation_fat_is_the_brightest():
    contrast = contrast_of(Scan(excitation="all"), HAND_TISSUES)
    assert contrast.on_resonance(FAT)[0] > 1.2 * contrast.on_resonance(MUSCLE)[0]


def test_fat_comes_back_where_the_field_is_off():
    fat = abs(contrast_of(Scan(), HAND_TISSUES).fat[FAT])
    middle = len(fat) // 2
    assert fat[middle + 24] > 3 * fat[middle]  # 120 Hz


def test_relaxation_times_are_those_of_the_tables():
    found = {tissue.name: (tissue.t1, tissue.t2) for tissue in (*HAND_TISSUES, *BRAIN_TISSUES)}
    gold = {"muscle": (1420, 31.7), "cartilage": (1240, 36.9), "synovial fluid": (3620, 767)}
    stanisz = {"grey matter": (1820, 99), "white matter": (1084, 69), "nerve": (1083, 78),
               "artery": (1932, 275), "muscle of the head": (1412, 50)}  # fmt: skip
    for name, times in (gold | stanisz).items():
        assert found[name] == times
    for tissues in (HAND_TISSUES, BRAIN_TISSUES):
        assert [tissue.label for tissue in tissues] == list(range(len(tissues)))
        for tissue in tissues[1:]:
            assert tissue.t2_star <= tissue.t2 <= tissue.t1
            assert 0 < tissue.water + tissue.fat <= 1
            assert tissue.source == "assumed" or "doi:" in tissue.source


def test_signals_are_those_of_the_equations_times_densities():
    scan = Scan(excitation="all")
    (muscle,) = (tissue for tissue in HAND_TISSUES if tissue.label == MUSCLE)
    lean = dataclasses.replace(muscle, fat=0.0)
    gradient, spin = contrast_of(scan, [lean]).on_resonance(MUSCLE)
    assert gradient == pytest.approx(0.82 * spoiled_gradient_echo(1420, 25, 13.5, 6, 10), rel=1e-6)
    assert spin == pytest.approx(
        0.82 * fast_spin_echo(1420, 31.7, tr=1500, te=127, spacing=4, refocusing=60, train=250),
        rel=1e-6,
    )
    assert reference_signals(scan)[0] == pytest.approx(gradient, rel=1e-6)


def test_blood_that_flows_in_is_fresh_and_that_flows_on_is_lost():
    scan = Scan(excitation="all")
    still = Tissue(label=9, name="artery", water=0.9, t1=1932, t2=275, t2_star=60)
    flowing = dataclasses.replace(still, inflow=0.35, void=0.92)
    gradient, spin = contrast_of(scan, [flowing]).on_resonance(9)
    before, whole = contrast_of(scan, [still]).on_resonance(9)
    # Protons that come in have never been excited: sin a exp(-TE / T2*).
    fresh = 0.9 * np.sin(np.radians(10)) * np.exp(-6 / 60)
    assert gradient == pytest.approx(0.65 * before + 0.35 * fresh, rel=1e-6)
    assert spin == pytest.approx(0.08 * whole, rel=1e-6)


def test_fat_has_relaxation_times_of_its_own():
    scan = Scan(excitation="all")
    one = Tissue(label=2, name="fat", t1=9, t2=9, t2_star=9, fat=0.8, fat_t1=371, fat_t2=133,
                 fat_t2_star=35)  # fmt: skip
    gradient, spin = contrast_of(scan, [one]).on_resonance(2)
    echo = {"tr": 13.5, "te": 6, "flip": 10, "field": 3, "offset": [0], "excite_water": False}
    assert gradient == pytest.approx(0.8 * abs(fat_gradient_echo(371, 35, **echo)[0]), rel=1e-6)
    train = {"tr": 1500, "te": 127, "spacing": 4, "refocusing": 60, "train": 250}
    assert spin == pytest.approx(0.8 * fast_spin_echo(371, 133, **train), rel=1e-6)
    assert reference_signals(scan)[1] == pytest.approx(0.9 / 0.8 * spin, rel=1e-6)


def test_density_of_marrow_is_a_subjects_own():
    denser = with_marrow(HAND_TISSUES, (MARROW, RED_MARROW), 0.9)
    for before, after in zip(HAND_TISSUES, denser, strict=True):
        changed = before.label in {MARROW, RED_MARROW}
        for name in ("water", "fat"):
            wanted = getattr(before, name) * (0.9 if changed else 1)
            assert getattr(after, name) == pytest.approx(wanted)
