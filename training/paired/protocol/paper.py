"""What the paper reports: Tables 1 and 2 of Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8).

Of the right hand of one person, whose left hand networks were trained on: 512 x 512 px.
"""

MEASURES = ("nrmse", "psnr", "ssim")
"""In the order of the paper's columns."""

Published = dict[str, tuple[float, float]]
"""Mean and SD over slices, by measure."""


def _published(*values: tuple[float, float]) -> Published:
    return dict(zip(MEASURES, values, strict=True))


NETWORKS: dict[str, Published] = {
    "pix2pix": _published((0.0396, 0.0175), (40.8, 13.7), (0.9676, 0.0359)),
    "cyclegan": _published((0.0844, 0.0596), (25.3, 4.3), (0.3921, 0.3612)),
    "unit": _published((0.0473, 0.0207), (27.5, 4.6), (0.8230, 0.0650)),
}
"""Table 1: of all planes together, by network."""

PLANES: dict[str, Published] = {
    "coronal": _published((0.0650, 0.0188), (26.4, 2.4), (0.8448, 0.0212)),
    "sagittal": _published((0.0315, 0.0081), (34.9, 5.2), (0.9759, 0.0053)),
    "axial": _published((0.0440, 0.0191), (48.8, 15.7), (0.9768, 0.0192)),
}
"""Table 2: of pix2pix, by plane."""
