"""Loops over points, about a volume of labels."""

import math

from ..acceleration import kernel


@kernel
def nearest_labels(found, labels, size, back, shift, origin, step):
    """Write the labels of the voxels that points lie in, before they moved; 0 outside.

    Along axes of one voxel there is no outside.

    Parameters
    ----------
    found : uint8 array of shape (z, y, x)
        Written.
    labels : uint8 array of shape (x, y, z)
        Its middle is where places are counted from.
    size : float64 array of shape (3,)
        Of its voxels, mm.
    back : float64 array of shape (3, 3)
        Turns places back to before.
    shift : float64 array of shape (3,)
        mm.
    origin, step
        First point, and way between points, mm.
    """
    nx, ny, nz = labels.shape
    for i in range(found.shape[0]):
        z = origin[2] + i * step - shift[2]
        for j in range(found.shape[1]):
            y = origin[1] + j * step - shift[1]
            for k in range(found.shape[2]):
                x = origin[0] + k * step - shift[0]
                across = back[0, 0] * x + back[0, 1] * y + back[0, 2] * z
                through = back[1, 0] * x + back[1, 1] * y + back[1, 2] * z
                along = back[2, 0] * x + back[2, 1] * y + back[2, 2] * z
                a = 0 if nx == 1 else math.floor(across / size[0] + nx / 2)
                b = 0 if ny == 1 else math.floor(through / size[1] + ny / 2)
                c = 0 if nz == 1 else math.floor(along / size[2] + nz / 2)
                inside = 0 <= a < nx and 0 <= b < ny and 0 <= c < nz
                found[i, j, k] = labels[a, b, c] if inside else 0
