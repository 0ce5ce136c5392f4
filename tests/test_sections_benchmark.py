"""The benchmark of muscles measured in images: what it damages, halves and prints."""

import numpy as np
from click.testing import CliRunner
from PIL import Image

from benchmarks.sections import damaged, halves, main, one_of_each
from musim.datasets.images.finding import find_images

SHAPE = (90, 180)


def folder(path, count):
    rows, columns = np.indices(SHAPE)
    across = rows * np.cos(0.4) + columns * np.sin(0.4)
    image = (100 + 60 * np.sin(across / 1.5)).astype(np.uint8)
    mask = np.zeros(SHAPE, bool)
    mask[15:19] = mask[70:74] = True
    for number in range(count):
        Image.fromarray(image).save(path / f"{number}.png")
        Image.fromarray(mask).save(path / f"{number}_mask.png")
    return mask


def test_damage_and_halves_are_what_they_say(tmp_path):
    mask = folder(tmp_path, 1)
    worn = damaged(mask, np.random.default_rng(0))
    assert 0.3 * mask.sum() < (worn & mask).sum() < mask.sum()
    left, right = halves(mask, np.array([[45.0, 0], [45, 89], [45, 179]]))
    assert not (left & right).any()
    np.testing.assert_array_equal(left | right, mask)
    assert abs(int(left.sum()) - int(right.sum())) <= 8


def test_one_of_each_cluster_is_measured_and_told(tmp_path):
    folder(tmp_path, 3)
    sizes = tmp_path / "index.csv"
    sizes.write_text("name,pixel_depth_mm,cluster\n0,1,7\n1,1,7\n2,1,8\n")
    assert [entry.name for entry in one_of_each(find_images(tmp_path), sizes)] == ["0", "2"]
    done = CliRunner().invoke(main, [str(tmp_path), "--sizes", str(sizes)], catch_exceptions=False)
    said = dict(line.split(" | ", 1) for line in done.output.splitlines() if line.startswith("| "))
    assert said["| thickness [px]"].startswith("2 | 55.0 | 55.0")
    repeat = float(said["| left half against right, clearness 3 or more [degrees]"].split(" | ")[2])
    assert repeat < 1
