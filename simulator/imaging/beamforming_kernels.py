"""Loops of :mod:`musim.simulator.imaging.beamforming`: sixteen frames at a time."""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function

from ..acceleration import BLOCK, inline, intrinsic, kernel

COLUMNS_AT_ONCE = 8
"""Image columns that share one pass over an element's samples, so that both stay in the cache."""

LEADING, TRAILING = 1, 2
"""Zeros that stand before and after the samples, for interpolation at their ends."""


@intrinsic
def add_interpolated_block(
    typingctx: Any, totals: Any, pixel: Any, rows: Any, row: Any, w0: Any, w1: Any, w2: Any,
    w3: Any, cosine: Any, sine: Any,
) -> Any:  # fmt: skip
    """Add the sum of four weighted rows, turned by a phase, to a pixel, for BLOCK frames at once.

    `totals` is float32 (pixel, 2, BLOCK) and `rows` float32 (sample, 2, BLOCK), the 2 being the
    real and imaginary parts, both C-contiguous; no bounds are checked. Every product is fused with
    its sum, in the order written: a frame's value does not depend on its place in a block.
    """
    vector = ir.VectorType(ir.FloatType(), BLOCK)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def pointer(position: int) -> Any:
            array = context.make_array(signature.args[position])(
                context, builder, arguments[position]
            )
            index = arguments[position + 1]
            start = builder.mul(index, index.type(2 * BLOCK))
            return builder.bitcast(builder.gep(array.data, [start]), vector.as_pointer())

        def load(base: Any, number: int) -> Any:
            value = builder.load(builder.gep(base, [ir.IntType(64)(number)]))
            value.align = 4  # arrays are aligned to their items, not to vectors
            return value

        def spread(value: Any) -> Any:
            result = ir.Constant(vector, ir.Undefined)
            for lane in range(BLOCK):
                result = builder.insert_element(result, value, ir.IntType(32)(lane))
            return result

        # The builder's own `fma` takes no vectors.
        fuse = get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{BLOCK}f32"
        )

        def fused(x: Any, y: Any, z: Any) -> Any:
            return builder.call(fuse, (x, y, z))

        source, target = pointer(2), pointer(0)
        weights = [spread(value) for value in arguments[4:8]]
        cosines, sines = spread(arguments[8]), spread(arguments[9])
        parts = []
        for part in range(2):
            value = builder.fmul(weights[0], load(source, part))
            for tap in range(1, 4):
                value = fused(weights[tap], load(source, 2 * tap + part), value)
            parts.append(value)
        real, imaginary = parts
        results = (
            fused(builder.fneg(sines), imaginary, fused(cosines, real, load(target, 0))),
            fused(sines, real, fused(cosines, imaginary, load(target, 1))),
        )
        for part, result in enumerate(results):
            stored = builder.store(result, builder.gep(target, [ir.IntType(64)(part)]))
            stored.align = 4
        return context.get_dummy_value()

    numbers = [types.float32] * 6
    return types.none(totals, types.int64, rows, types.int64, *numbers), generate


@kernel
def pack_rows(iq, rows):
    """Lay the frames of one wave side by side: frames innermost, real and imaginary parts apart.

    Parameters
    ----------
    iq : complex64 array of shape (frame, element, sample)
        BLOCK frames or fewer, in any layout.
    rows : float32 array of shape (element, sample, 2, BLOCK), filled
        But for LEADING and TRAILING samples, which are to be 0, and frames that are not there.
    """
    frames, elements, samples = iq.shape
    for element in range(elements):
        for sample in range(samples):
            row = rows[element, LEADING + sample]
            for frame in range(frames):
                value = iq[frame, element, sample]
                row[0, frame] = value.real
                row[1, frame] = value.imag


# Taylor's coefficients in single precision: a plain number would carry all into double precision.
_S1, _S3, _S5, _S7, _S9, _S11 = (
    np.float32((-1) ** (n // 2) * math.pi**n / math.factorial(n)) for n in range(1, 12, 2)
)
_C0, _C2, _C4, _C6, _C8, _C10, _C12 = (
    np.float32((-1) ** (n // 2) * math.pi**n / math.factorial(n)) for n in range(0, 13, 2)
)
_ZERO, _SIXTH, _HALF = np.float32(0), np.float32(1 / 6), np.float32(0.5)
_ONE, _TWO = np.float32(1), np.float32(2)


@inline
def _half_sine(turns):
    """Return sin(pi `turns`), float32 from -0.5 to 0.5, to 1e-7."""
    square = turns * turns
    return turns * (
        _S1 + square * (_S3 + square * (_S5 + square * (_S7 + square * (_S9 + square * _S11))))
    )


@inline
def _half_cosine(turns):
    """Return cos(pi `turns`), float32 from -0.5 to 0.5, to 1e-7."""
    square = turns * turns
    return _C0 + square * (
        _C2 + square * (_C4 + square * (_C6 + square * (_C8 + square * (_C10 + square * _C12))))
    )


@kernel
def weigh(offset, depth, transmit, inverse_half, reference, scales, samples, sums, starts, weights):
    """Weigh the samples of one element for the pixels of one column.

    Parameters
    ----------
    offset : float
        Lateral distance between element and column, mm.
    depth, transmit, inverse_half, reference : float64 arrays of shape (depth,)
        Pixels' depths, mm; arrival of the transmitted wave, samples after the first; one over half
        the receiving aperture, 1/mm; phase that is taken off, turns.
    scales : (float, float, float)
        Samples a mm, turns a sample, and the tapered share of the aperture.
    samples : int
    sums : float32 array of shape (depth,), changed in place
        The apodisation is added.
    starts : int64 array of shape (depth,), filled
        Row before the sought instant, counted with the leading zeros, less one: the first of four.
    weights : float32 array of shape (7, depth), filled
        Four taps with the apodisation in them, cosine, sine, and the apodisation alone.
    """
    samples_per_length, turns_per_sample, taper = scales
    last = samples - 1
    distance = abs(offset)
    # The window rises as sin^2 from the edge inwards; without taper, at once.
    steepness = np.float32(0.5 / max(taper, 1e-30))
    for index in range(depth.size):
        position = transmit[index] + samples_per_length * math.sqrt(
            depth[index] * depth[index] + offset * offset
        )
        whole = np.floor(position)
        turns = turns_per_sample * position - reference[index]
        turns -= np.floor(turns + 0.5)
        sine, cosine = _half_sine(np.float32(turns)), _half_cosine(np.float32(turns))
        # Not below 0: the caller leaves out what lies beyond the aperture.
        edge = np.float32(1 - distance * inverse_half[index])
        ramp = _half_sine(min(edge * steepness, _HALF))
        inside = position >= 0 and position <= last
        starts[index] = int(whole) if inside else 0
        apodisation = ramp * ramp if inside else _ZERO
        # Lagrange's cubic through four samples (Laakso et al. 1996, doi:10.1109/79.482137).
        f = np.float32(position - whole)
        low, high = apodisation * f * (f - _ONE), apodisation * (f + _ONE) * (_TWO - f)
        weights[0, index] = _SIXTH * low * (_TWO - f)
        weights[1, index] = _HALF * high * (_ONE - f)
        weights[2, index] = _HALF * high * f
        weights[3, index] = _SIXTH * low * (f + _ONE)
        weights[4, index] = _ONE - _TWO * sine * sine
        weights[5, index] = _TWO * sine * cosine
        weights[6, index] = apodisation
        sums[index] += apodisation


@kernel
def add_wave(rows, elements, depth, width, transmit, half, reference, scales, totals, weight_sums):
    """Add the delayed, weighted echoes of one transmitted wave to an image.

    Parameters
    ----------
    rows : float32 array of shape (element, sample, 2, BLOCK)
        See :func:`pack_rows`.
    elements, depth, width : float64 arrays of shape (element,), (depth,) and (width,)
        Positions of elements and pixels, mm; depths rise.
    transmit : float64 array of shape (width, depth)
    half, reference, scales
        See :func:`weigh`; `half` does not fall with depth.
    totals : float32 array of shape (width, depth, 2, BLOCK), changed in place
    weight_sums : float32 array of shape (width, depth), changed in place
    """
    samples = rows.shape[1] - LEADING - TRAILING
    depths = depth.size
    inverse_half = 1 / half
    starts = np.empty(depths, np.int64)
    weights = np.empty((7, depths), np.float32)
    for first in range(0, width.size, COLUMNS_AT_ONCE):
        for element in range(elements.size):
            signal = rows[element]
            for column in range(first, min(first + COLUMNS_AT_ONCE, width.size)):
                offset = width[column] - elements[element]
                # Above this depth the element lies outside the aperture.
                top = np.searchsorted(half, abs(offset))
                if top == depths:
                    continue
                weigh(
                    offset, depth[top:], transmit[column, top:], inverse_half[top:],
                    reference[top:], scales, samples, weight_sums[column, top:], starts, weights,
                )  # fmt: skip
                pixels = totals[column]
                for index in range(depths - top):
                    if weights[6, index] == 0:
                        continue
                    add_interpolated_block(
                        pixels, top + index, signal, starts[index],
                        weights[0, index], weights[1, index], weights[2, index], weights[3, index],
                        weights[4, index], weights[5, index],
                    )  # fmt: skip


@kernel
def write_frames(totals, weight_sums, out):
    """Divide the sums by their weights and put the frames in order.

    Parameters
    ----------
    totals, weight_sums
        See :func:`add_wave`.
    out : complex64 array of shape (frame, depth, width), filled
        BLOCK frames or fewer; 0 where there is no weight.
    """
    frames, depths, widths = out.shape
    for row in range(depths):
        for column in range(widths):
            weight = weight_sums[column, row]
            scale = _ONE / weight if weight > 0 else _ZERO
            for frame in range(frames):
                real = totals[column, row, 0, frame] * scale
                imaginary = totals[column, row, 1, frame] * scale
                out[frame, row, column] = complex(real, imaginary)
