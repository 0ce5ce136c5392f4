"""Loops of :mod:`musim.simulator.experiment.quick`, innermost along pixels: vectors."""

import numpy as np

from ..acceleration import PANEL, ROWS, add_scaled_rows, fused_multiply_add, kernel
from ..noise_kernels import write_noise_to_four_frames
from ..vectors import LANES, broadcast, load, store
from ..vectors import fused_multiply_add as vectors_multiply_add

ZERO = np.float32(0)

GROUP = 4
"""Points in time whose noise one counter gives."""


@kernel
def smooth_noise(key, first_group, depth, width, out):
    """Draw white noise and make neighbouring pixels alike.

    Parameters
    ----------
    key : uint32 array of shape (4,)
    first_group : int
        Of four points in time.
    depth, width : float32 arrays of odd lengths
        Weights of neighbours along each axis.
    out : float32 array of shape (time, depth, width), filled
        Whole groups.
    """
    rows, columns = out.shape[1:]
    # White noise goes on beyond the image, so that its edges are like its middle.
    tall = rows + len(depth) - 1
    wide = columns + len(width) - 1
    # Whole vectors; what they hold beyond a row is not used.
    padded = (columns + LANES - 1) // LANES * LANES
    white = np.zeros((GROUP, tall * wide + LANES), np.float32)
    across = np.empty((tall, padded), np.float32)
    last = np.empty(LANES, np.float32)
    for group in range(len(out) // GROUP):
        write_noise_to_four_frames(
            white[0, : tall * wide],
            white[1, : tall * wide],
            white[2, : tall * wide],
            white[3, : tall * wide],
            np.uint32(0),
            np.uint32(first_group + group),
            key,
            np.float32(1),
        )
        for number in range(GROUP):
            for z in range(tall):
                for x in range(0, padded, LANES):
                    total = broadcast(ZERO)
                    for tap in range(len(width)):
                        source = load(white[number], z * wide + x + tap)
                        total = vectors_multiply_add(broadcast(width[tap]), source, total)
                    store(across, z * padded + x, total)
            image = out[group * GROUP + number]
            for z in range(rows):
                for x in range(0, padded, LANES):
                    total = broadcast(ZERO)
                    for tap in range(len(depth)):
                        source = load(across, (z + tap) * padded + x)
                        total = vectors_multiply_add(broadcast(depth[tap]), source, total)
                    if x + LANES <= columns:
                        store(image, z * columns + x, total)
                        continue
                    store(last, 0, total)
                    for place in range(x, columns):
                        image[z, place] = last[place - x]


@kernel
def superpose(maps, courses, grid, responses, brief, strength, step, start, first, out):
    """Sum maps times courses, and noise times its responses in time.

    Parameters
    ----------
    maps : float32 array of shape (component, room)
        Room for whole panels of pixels, here and in `grid`.
    courses : float32 array of shape (frame, component)
        Of the window.
    grid : float32 array of shape (point, room)
        Noise that is white in time; none if there is no noise.
    responses : float32 array of shape (2, 2 reach + 1)
    brief : int
        Frames beyond which the first response is 0.
    strength : float32 array of shape (2, pixel)
        SD of the noise that each response is for.
    step : int
        Frames between two points. Point j stands at frame ``j * step - reach``.
    start : int
        The window's first frame.
    first : int
        The first point of the grid.
    out : float32 array of shape (frame, pixel), filled
    """
    frames, pixels = out.shape
    components, points = len(maps), len(grid)
    span = responses.shape[1]
    factors = np.empty((ROWS, components), np.float32)
    odd = np.empty((ROWS, span + ROWS), np.float32)
    even = np.empty((ROWS, span + ROWS), np.float32)
    sums = np.empty((3, ROWS, PANEL), np.float32)
    # Groups are counted from the recording's first frame, so that sums do not depend on the window.
    for group in range(start // ROWS, (start + frames + ROWS - 1) // ROWS):
        frame0 = group * ROWS
        # A response is 0 beyond its reach: these points are all that the group can feel.
        low = max((frame0 + step - 1) // step, first)
        high = min((frame0 + ROWS - 1 + span - 1) // step + 1, first + points)
        for number in range(ROWS):
            frame = min(max(frame0 + number - start, 0), frames - 1)
            for component in range(components):
                factors[number, component] = courses[frame, component]
            for point in range(low, high):
                place = frame0 + number - point * step + span - 1
                reached = 0 <= place < span
                odd[number, point - low] = responses[0, place] if reached else 0
                even[number, point - low] = responses[1, place] if reached else 0
        # The first response is over sooner.
        cut = span // 2 - brief
        near = max((frame0 + cut + step - 1) // step, low)
        far = min((frame0 + ROWS - 1 + span - 1 - cut) // step + 1, high)
        for number in range(ROWS):
            for point in range(near, far):
                odd[number, point - near] = odd[number, point - low]
        for pixel in range(0, maps.shape[1], PANEL):
            sums[:] = np.float32(0)
            add_scaled_rows(sums[0], maps, 0, components, pixel, factors)
            if high > low:
                add_scaled_rows(sums[1], grid, near - first, far - near, pixel, odd)
                add_scaled_rows(sums[2], grid, low - first, high - low, pixel, even)
            size = min(PANEL, pixels - pixel)
            for number in range(ROWS):
                frame = frame0 + number - start
                if frame < 0 or frame >= frames:
                    continue
                row = out[frame, pixel : pixel + size]
                for x in range(size):
                    value = sums[0, number, x]
                    value = fused_multiply_add(strength[0, pixel + x], sums[1, number, x], value)
                    row[x] = fused_multiply_add(strength[1, pixel + x], sums[2, number, x], value)
