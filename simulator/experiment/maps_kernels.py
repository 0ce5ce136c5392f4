"""Loops of :mod:`musim.simulator.experiment.maps`, innermost along width: vectors."""

import numpy as np

from ..acceleration import kernel
from ..imaging.velocimetry_kernels import HIGHEST, LOWEST, arctan2
from .speckle_kernels import ROUND, cosine_of_turn, sine_of_turn


@kernel
def turn_echoes(
    field, low_z, share_z, low_x, share_x, turns, scatterers, exchange, shift, still, moved
):
    """Sum the echoes of each pixel's cells where tissue is displaced, and their derivative.

    Parameters
    ----------
    field : float32 array of shape (row, column)
        Displacement, mm.
    low_z, low_x : int64 arrays of shape (cell rows,) and (cell columns,)
        Point of the field's grid above and left of each cell.
    share_z, share_x : float32 arrays of the same shapes
        How far the cell lies towards the next one.
    turns : float32 array of shape (depth,)
        Of phase, for 1 mm.
    scatterers : float32 array of shape (4, depth, cell, width)
    exchange, shift : float32 arrays of shape (depth,)
        See ``Speckle``.
    still, moved : float32 arrays of shape (4, depth, width), filled
        Real and imaginary parts of echoes in place and of those beside it, and what a turn of phase
        adds to them.
    """
    depths, cells, widths = scatterers.shape[1:]
    rows, columns = field.shape
    high = len(low_z) // depths
    wide = cells // high
    across = np.empty((rows, wide, widths), np.float32)
    for row in range(rows):
        for x in range(widths):
            for part in range(wide):
                place = wide * x + part
                a = field[row, low_x[place]]
                b = field[row, min(low_x[place] + 1, columns - 1)]
                across[row, part, x] = a + share_x[place] * (b - a)
    still[:] = np.float32(0)
    moved[:] = np.float32(0)
    circle = np.float32(2 * np.pi)
    two = np.float32(2)
    for z in range(depths):
        for cell in range(cells):
            place = high * z + cell // wide
            above = across[low_z[place], cell % wide]
            below = across[min(low_z[place] + 1, rows - 1), cell % wide]
            for x in range(widths):
                turn = turns[z] * (above[x] + share_z[place] * (below[x] - above[x]))
                phase = turn - ((turn + ROUND) - ROUND)
                sine = sine_of_turn(phase)
                cosine = cosine_of_turn(phase)
                # Rotations by twice an arctangent, as in ``add_echoes``, and their derivatives.
                t = exchange[z] * turn
                scale = np.float32(1) / (np.float32(1) + t * t)
                keep = (np.float32(1) - t * t) * scale
                take = two * t * scale
                rate = two * exchange[z] * scale
                a, b = scatterers[0, z, cell, x], scatterers[1, z, cell, x]
                c, d = scatterers[2, z, cell, x], scatterers[3, z, cell, x]
                seen, seen_i = keep * a + take * c, keep * b + take * d
                new = rate * (keep * c - take * a) - circle * seen_i
                new_i = rate * (keep * d - take * b) + circle * seen
                here, here_i = seen * cosine - seen_i * sine, seen * sine + seen_i * cosine
                gone, gone_i = new * cosine - new_i * sine, new * sine + new_i * cosine
                t = shift[z] * turn
                scale = np.float32(1) / (np.float32(1) + t * t)
                keep = (np.float32(1) - t * t) * scale
                take = two * t * scale
                rate = two * shift[z] * scale
                still[0, z, x] += keep * here
                still[1, z, x] += keep * here_i
                still[2, z, x] += take * here
                still[3, z, x] += take * here_i
                moved[0, z, x] += keep * gone - rate * take * here
                moved[1, z, x] += keep * gone_i - rate * take * here_i
                moved[2, z, x] += take * gone + rate * keep * here
                moved[3, z, x] += take * gone_i + rate * keep * here_i


@kernel
def point_spread(echoes, axial, lateral, image):
    """Turn the echoes of each pixel into an IQ image, as ``render_frames`` does.

    Parameters
    ----------
    echoes : float32 array of shape (4, depth, width)
        Real and imaginary parts of echoes in place, and of those beside it.
    axial : float32 array of shape (2, depth, tap, 2)
    lateral : float32 array of shape (depth, tap)
    image : float32 array of shape (depth, width, 2), filled
    """
    depths, widths = image.shape[:2]
    half_axial = axial.shape[2] // 2
    half_lateral = lateral.shape[1] // 2
    pulsed = np.zeros((2, widths + 2 * half_lateral), np.float32)
    made = np.empty((2, widths), np.float32)
    for z in range(depths):
        pulsed[:] = np.float32(0)
        real = pulsed[0, half_lateral : half_lateral + widths]
        imaginary = pulsed[1, half_lateral : half_lateral + widths]
        for tap in range(axial.shape[2]):
            source = z + tap - half_axial
            if source < 0 or source >= depths:
                continue
            for kind in range(2):
                re = axial[kind, z, tap, 0]
                im = axial[kind, z, tap, 1]
                echo_real = echoes[2 * kind, source]
                echo_imaginary = echoes[2 * kind + 1, source]
                for x in range(widths):
                    real[x] += re * echo_real[x] - im * echo_imaginary[x]
                    imaginary[x] += re * echo_imaginary[x] + im * echo_real[x]
        for part in range(2):
            made[part] = np.float32(0)
            for tap in range(lateral.shape[1]):
                weight = lateral[z, tap]
                shifted = pulsed[part, tap : tap + widths]
                for x in range(widths):
                    made[part, x] += weight * shifted[x]
        for x in range(widths):
            image[z, x, 0] = made[0, x]
            image[z, x, 1] = made[1, x]


@kernel
def look(still, moved, scale, half_gate, share, weight, power, divisor):
    """Measure a still image as velocimetry does.

    Parameters
    ----------
    still, moved : float32 arrays of shape (depth, width, 2)
        The image, and its derivative by a turn of phase.
    scale : float32 array of shape (depth,)
        Displacement for a radian, in turns of phase: mm for a displacement of 1.
    half_gate : int
    share : float32
        Share of the centre frequency that a radian between depth samples adds.
    weight, power, divisor : float32 arrays of shape (depth, width), filled
        See ``Still``.
    """
    depths, widths = power.shape
    real = np.zeros((depths, widths), np.float32)
    imaginary = np.zeros((depths, widths), np.float32)
    for z in range(depths):
        for x in range(widths):
            a, b = still[z, x, 0], still[z, x, 1]
            power[z, x] = a * a + b * b
            weight[z, x] = scale[z] * (a * moved[z, x, 1] - b * moved[z, x, 0])
    for z in range(depths - 1):
        for x in range(widths):
            a, b = still[z, x, 0], still[z, x, 1]
            c, d = still[z + 1, x, 0], still[z + 1, x, 1]
            real[z, x] = c * a + d * b
            imaginary[z, x] = d * a - c * b
    total = np.empty((3, widths), np.float32)
    for z in range(depths):
        total[:] = np.float32(0)
        for row in range(max(z - half_gate, 0), min(z + half_gate + 1, depths)):
            for x in range(widths):
                total[0, x] += power[row, x]
        # A product over depth belongs midway between two samples, so its gate has one less.
        top = max(z - half_gate, 0)
        bottom = min(z + half_gate, depths - 1)
        if bottom <= top:
            top = min(z, depths - 2)
            bottom = top + 1
        for row in range(top, bottom):
            for x in range(widths):
                total[1, x] += real[row, x]
                total[2, x] += imaginary[row, x]
        for x in range(widths):
            relative = np.float32(1) + share * arctan2(total[2, x], total[1, x])
            relative = LOWEST if relative < LOWEST else relative
            relative = HIGHEST if relative > HIGHEST else relative
            divisor[z, x] = total[0, x] * relative


@kernel
def gate_fields(fields, low_z, share_z, low_x, share_x, weight, divisor, half_gate, out):
    """Average each field over the gate, weighted by the speckle.

    Parameters
    ----------
    fields : float64 array of shape (field, row, column)
    low_z, low_x : int64 arrays of shape (depth,) and (width,)
        Point of the fields' grid above and left of each pixel.
    share_z, share_x : float32 arrays of shape (depth,) and (width,)
        How far the pixel lies towards the next one.
    weight, divisor : float32 arrays of shape (depth, width)
    half_gate : int
    out : float32 array of shape (field, depth, width), filled
    """
    count, depths, widths = out.shape
    rows, columns = fields.shape[1:]
    across = np.empty((rows, widths), np.float32)
    product = np.empty((depths, widths), np.float32)
    for number in range(count):
        for row in range(rows):
            for x in range(widths):
                left = low_x[x]
                a = np.float32(fields[number, row, left])
                b = np.float32(fields[number, row, min(left + 1, columns - 1)])
                across[row, x] = a + share_x[x] * (b - a)
        for z in range(depths):
            above = across[low_z[z]]
            below = across[min(low_z[z] + 1, rows - 1)]
            share = share_z[z]
            for x in range(widths):
                product[z, x] = weight[z, x] * (above[x] + share * (below[x] - above[x]))
        for z in range(depths):
            total = out[number, z]
            total[:] = np.float32(0)
            for row in range(max(z - half_gate, 0), min(z + half_gate + 1, depths)):
                source = product[row]
                for x in range(widths):
                    total[x] += source[x]
            for x in range(widths):
                total[x] /= divisor[z, x]


@kernel
def weigh(power, divisor, noise, half_gate, weight):
    """Write 1 over the SD of each pixel's displacement, 1 / rad; see :func:`noise_strength`."""
    depths, widths = power.shape
    for z in range(depths):
        total = np.zeros(widths, np.float32)
        for row in range(max(z - half_gate, 0), min(z + half_gate + 1, depths)):
            square = noise[row] * noise[row]
            for x in range(widths):
                total[x] += square * power[row, x]
        for x in range(widths):
            weight[z, x] = divisor[z, x] / np.sqrt(total[x] + np.float32(1e-30))


@kernel
def noise_strength(power, divisor, noise, half_gate, half_rows, half_columns, variance):
    """Find the variance of a window's weighted mean of noisy displacements.

    The mean has weights of 1 over each one's SD, as the median of Gaussian values of different SD
    has to first order. Gates that lie above one another share samples.

    Parameters
    ----------
    power, divisor : float32 arrays of shape (depth, width)
        See ``Still``.
    noise : float32 array of shape (depth,)
        SD of the noise in each part of an image.
    half_gate, half_rows, half_columns : int
        Samples before and after the centre of gate and window; those beyond the image are left out.
    variance : float32 array of shape (2, depth, width), filled
        Of displacement (first order) and of the change between two images (second), rad^2.
    """
    depths, widths = power.shape
    weight = np.empty((depths, widths), np.float32)
    weigh(power, divisor, noise, half_gate, weight)
    parts = weight / divisor
    shares, first_order, second_order = np.empty((3, widths), np.float32)
    for z in range(depths):
        first = max(z - half_rows, 0)
        last = min(z + half_rows, depths - 1)
        weights = np.zeros(widths, np.float32)
        for row in range(first, last + 1):
            for offset in range(-half_columns, half_columns + 1):
                for x in range(max(-offset, 0), min(widths - offset, widths)):
                    weights[x] += weight[row, x + offset]
        first_order[:] = np.float32(0)
        second_order[:] = np.float32(0)
        for sample in range(max(first - half_gate, 0), min(last + half_gate + 1, depths)):
            # How much of this sample is in the mean, by way of all gates that hold it.
            shares[:] = np.float32(0)
            for row in range(max(first, sample - half_gate), min(last, sample + half_gate) + 1):
                for x in range(widths):
                    shares[x] += parts[row, x]
            square = noise[sample] * noise[sample]
            for x in range(widths):
                share = shares[x] * shares[x] * square
                first_order[x] += share * power[sample, x]
                second_order[x] += share * np.float32(2) * square
        variance[0, z] = np.float32(0)
        variance[1, z] = np.float32(0)
        for offset in range(-half_columns, half_columns + 1):
            for x in range(max(-offset, 0), min(widths - offset, widths)):
                variance[0, z, x] += first_order[x + offset]
                variance[1, z, x] += second_order[x + offset]
        for x in range(widths):
            square = weights[x] * weights[x]
            variance[0, z, x] /= square
            variance[1, z, x] /= square
