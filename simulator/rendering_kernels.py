"""Loops of :mod:`musim.simulator.rendering`: superposing units, four frames at a time."""

import numpy as np

from .acceleration import BLOCK, add_scaled_block, kernel
from .noise_kernels import write_noise_to_four_frames

GROUP = 4


@kernel
def pack_blocks(territory, units, starts, weights):
    """Pack the pixels that units cover into blocks of 16; return the number of blocks.

    Parameters
    ----------
    territory : float32 array of shape (unit, pixel)
    units, starts : int64 arrays of shape (block,), filled
        Unit of each block and its first pixel. Blocks beyond the arrays are counted, not filled.
    weights : float32 array of shape (block, 16), filled
        Memberships, 0 beyond the last pixel.
    """
    count = 0
    pixels = territory.shape[1]
    for unit in range(len(territory)):
        for start in range(0, pixels, BLOCK):
            stop = min(start + BLOCK, pixels)
            covered = False
            for pixel in range(start, stop):
                covered |= territory[unit, pixel] != 0
            if not covered:
                continue
            if count < len(units):
                units[count] = unit
                starts[count] = start
                weights[count] = np.float32(0)
                for pixel in range(start, stop):
                    weights[count, pixel - start] = territory[unit, pixel]
            count += 1
    return count


@kernel
def render_window(units, starts, weights, trains, start, window, key, noise_sd, out):
    """Render a window of a sequence.

    Parameters
    ----------
    units, starts, weights
        Blocks of the window's pixels, see :func:`pack_blocks`.
    trains : float32 array of shape (time, unit)
        Velocities over the window's groups of four frames, whole groups, mm/s.
    start : int
        Index of the window's first frame in the sequence.
    window : int64 array of shape (5,)
        Depth and width of the window, row and column of its first pixel in the whole grid, and the
        width of the whole grid, px.
    key : uint32 array of shape (4,)
    noise_sd : float32
        mm/s; 0 adds no noise.
    out : float32 array of shape (time, pixel), filled
    """
    rows, columns, first_row, first_column, grid_width = window
    frames, pixels = out.shape
    first_group = start // GROUP
    # Blocks are whole: where the last one runs over the frame's end, frames are made apart.
    fits = pixels % BLOCK == 0
    # Blocks may reach beyond the last pixel of scratch frames: what is there is never read.
    scratch = np.zeros((GROUP, -(-pixels // BLOCK) * BLOCK), np.float32)
    for group in range(len(trains) // GROUP):
        first = (first_group + group) * GROUP - start
        in_place = fits and first >= 0 and first + GROUP <= frames
        four = out[first : first + GROUP] if in_place else scratch
        if noise_sd > 0:
            counter = np.uint32(first_group + group)
            # Full rows follow one another in the whole grid too, so they are one run.
            runs = 1 if columns == grid_width else rows
            length = pixels // runs
            for run in range(runs):
                pixel = np.uint32((first_row + run) * grid_width + first_column)
                low = run * length
                high = low + length
                write_noise_to_four_frames(
                    four[0, low:high],
                    four[1, low:high],
                    four[2, low:high],
                    four[3, low:high],
                    pixel,
                    counter,
                    key,
                    noise_sd,
                )
        else:
            four[:] = np.float32(0)
        for i in range(GROUP):
            frame = four[i]
            velocity = trains[group * GROUP + i]
            for block in range(len(units)):
                add_scaled_block(frame, starts[block], weights, block, velocity[units[block]])
        if not in_place:
            for i in range(GROUP):
                if 0 <= first + i < frames:
                    out[first + i] = scratch[i, :pixels]


@kernel
def _dot(a, b):
    """Return the dot product in float64, in an order that depends on the length alone."""
    s0 = 0.0
    s1 = 0.0
    s2 = 0.0
    s3 = 0.0
    whole = a.size // 4 * 4
    for i in range(0, whole, 4):
        s0 += np.float64(a[i]) * b[i]
        s1 += np.float64(a[i + 1]) * b[i + 1]
        s2 += np.float64(a[i + 2]) * b[i + 2]
        s3 += np.float64(a[i + 3]) * b[i + 3]
    for i in range(whole, a.size):
        s0 += np.float64(a[i]) * b[i]
    return (s0 + s1) + (s2 + s3)


@kernel
def _shared(territory, other, box, other_box):
    """Return the dot product of two units' memberships in the pixels of both, in float64.

    Sums run in four lanes as those of :func:`_dot` do over all pixels from the first that both may
    have on: what lies beyond is 0, and is passed over.
    """
    columns = territory.shape[1]
    low = max(_end_pixel(territory, box, 1), _end_pixel(other, other_box, 1))
    high = min(_end_pixel(territory, box, -1), _end_pixel(other, other_box, -1)) + 1
    whole = low + (high - low) // 4 * 4
    lanes = np.zeros(4)
    for row in range(max(box[0], other_box[0]), min(box[1], other_box[1])):
        for column in range(max(box[2], other_box[2]), min(box[3], other_box[3])):
            product = np.float64(territory[row, column]) * other[row, column]
            pixel = row * columns + column
            if product != 0:
                lanes[(pixel - low) & 3 if pixel < whole else 0] += product
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])


@kernel
def _end_pixel(territory, box, step):
    """Return the row-major index of the first (step 1) or last (-1) pixel that a unit has."""
    row = box[0] if step > 0 else box[1] - 1
    column = box[2] if step > 0 else box[3] - 1
    while territory[row, column] == 0:
        column += step
    return row * territory.shape[1] + column


@kernel
def sum_of_squares(territory, boxes, trains):
    """Return the sum over all voxels of the squared superposition of units.

    Parameters
    ----------
    territory : float32 array of shape (unit, depth, width)
    boxes : int64 array of shape (unit, 4)
        See :func:`.territory_kernels.boxes_of`.
    trains : float32 array of shape (unit, time)
    """
    units = len(trains)
    total = 0.0
    for unit in range(units):
        one = boxes[unit]
        for other in range(unit, units):
            two = boxes[other]
            if max(one[0], two[0]) >= min(one[1], two[1]) or max(one[2], two[2]) >= min(
                one[3], two[3]
            ):
                continue
            shared = _shared(territory[unit], territory[other], one, two)
            if shared != 0:
                product = shared * _dot(trains[unit], trains[other])
                total += product if unit == other else 2.0 * product
    return max(total, 0.0)
