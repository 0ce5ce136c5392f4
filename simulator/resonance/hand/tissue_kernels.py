"""Loops over points of a grid: which tissue lies where, by distances to solids."""

import numpy as np

from ...acceleration import kernel
from ..grain_kernels import grain

u32 = np.uint32

SEPTUM, EPIMYSIUM, PERIMYSIUM = 0.04, 0.3, 0.035
"""Half of a septum of fat as a value of its field; thickness of what surrounds muscles, mm; half of
what lies in them, as a value."""

STRAND = 0.5
"""Value from which on muscle has a strand of fat."""

RED = 0.5
"""Value from which on marrow is red."""

CAPSULE, JOINED = 1.0, 2.2
"""Thickness of what surrounds a joint, mm, and how near the other bone is there, mm."""

UNDER_SKIN = 0.8
"""Least thickness of fat between skin and muscle, mm."""


@kernel
def soft_tissue(labels, surface, nearest, second, skin, tissues, own, key, origin, step):
    """Label air, skin, fat with its septa, and muscle with fasciae and strands of fat.

    Fields that are drawn are functions of the place in the hand, so that they move along with it.
    ``tissues`` are the labels of skin, fat, fascia and muscle.
    """
    hide, fat, fascia, muscle = tissues
    for i in range(labels.shape[0]):
        z = origin[2] + i * step
        for j in range(labels.shape[1]):
            y = origin[1] + j * step
            for k in range(labels.shape[2]):
                depth = -surface[i, j, k]
                if depth <= 0:
                    labels[i, j, k] = 0
                    continue
                if depth < skin:
                    labels[i, j, k] = hide
                    continue
                x = origin[0] + k * step
                across = own[0, 0] * x + own[0, 1] * y + own[0, 2] * z + own[0, 3]
                through = own[1, 0] * x + own[1, 1] * y + own[1, 2] * z + own[1, 3]
                along = own[2, 0] * x + own[2, 1] * y + own[2, 2] * z + own[2, 3]
                inside = -nearest[i, j, k]
                if depth < skin + UNDER_SKIN or inside < -EPIMYSIUM:
                    septum = grain(across / 4, through / 4, along / 6, key ^ u32(1))
                    labels[i, j, k] = fascia if abs(septum) < SEPTUM else fat
                elif inside < 0 or (second[i, j, k] + inside) / 2 < EPIMYSIUM:
                    labels[i, j, k] = fascia
                elif grain(across / 1.9, through / 1.9, along / 11, key ^ u32(2)) > STRAND:
                    labels[i, j, k] = fat
                elif abs(grain(across / 3, through / 3, along / 16, key ^ u32(3))) < PERIMYSIUM:
                    labels[i, j, k] = fascia
                else:
                    labels[i, j, k] = muscle


@kernel
def hard_tissue(
    labels, surface, nearest, second, crust, film, cartilage, tissues, own, key, origin, step
):
    """Label bone over what was there: where two bones meet are cartilage, and fluid between.

    Points that are as near to two bones lie in the middle of the joint. Around joints fat
    gives way to their capsule. ``tissues`` are the labels of fluid, cartilage, cortex, marrow, red
    marrow, fat and ligament.
    """
    fluid, gristle, cortex, marrow, red_marrow, fat, ligament = tissues
    for i in range(labels.shape[0]):
        z = origin[2] + i * step
        for j in range(labels.shape[1]):
            y = origin[1] + j * step
            for k in range(labels.shape[2]):
                inside = -nearest[i, j, k]
                if inside < -CAPSULE or surface[i, j, k] > -0.6:
                    continue
                if inside < -0.2:
                    if second[i, j, k] < JOINED and labels[i, j, k] == fat:
                        labels[i, j, k] = ligament
                    continue
                facet = (second[i, j, k] + inside - film) / 2
                if facet < 0:
                    if second[i, j, k] < 0.8:
                        labels[i, j, k] = fluid
                elif inside < 0:
                    continue
                elif facet < cartilage:
                    labels[i, j, k] = gristle
                elif min(inside, facet - cartilage) < crust[i, j, k]:
                    labels[i, j, k] = cortex
                else:
                    x = origin[0] + k * step
                    across = own[0, 0] * x + own[0, 1] * y + own[0, 2] * z + own[0, 3]
                    through = own[1, 0] * x + own[1, 1] * y + own[1, 2] * z + own[1, 3]
                    along = own[2, 0] * x + own[2, 1] * y + own[2, 2] * z + own[2, 3]
                    patch = grain(across / 6, through / 6, along / 9, key ^ u32(4))
                    patch += 0.5 * grain(across / 2, through / 2, along / 3, key ^ u32(5))
                    labels[i, j, k] = red_marrow if patch > RED else marrow
