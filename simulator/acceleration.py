"""The one door to Numba: how kernels are compiled, and the bit-level operations they share.

Kernels are serial and release the interpreter's lock; parallel work happens over sequences, above
them. ``fastmath`` stays off: every operation is the IEEE one, in the order written, so a value does
not depend on the vector width, on the position in a loop, or on the processor. Where a fused
multiply-add is wanted it is asked for by name (:func:`fused_multiply_add`).
"""

import functools
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

BLOCK = 16
"""Values that :func:`add_scaled_block` takes at once: one vector of the widest processors."""

# Numba passes a first argument of its own; type checkers would ask callers for it.
intrinsic: Any = _intrinsic


def kernel(function: Any) -> Any:
    """Compile `function` with the options that every kernel of musim shares.

    What is compiled is kept: beside the module, in ``__pycache__``, or where ``NUMBA_CACHE_DIR``
    says. It is made again when the module has changed, or one that its kernels were taken from.
    """
    compiled = njit(nogil=True, cache=True, error_model="numpy")(function)
    # Numba looks at the kernel's own file alone, though others are compiled into it.
    kept = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if kept is not None:  # none where kernels are not compiled (NUMBA_DISABLE_JIT)
        kept._source_stamp = (kept._source_stamp, sources_of(function.__globals__))
    return compiled


def sources_of(names: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return digests of the modules that a kernel is made of, besides its own.

    Parameters
    ----------
    names : mapping of str to object
        What the kernel's module holds: functions of other modules of musim, and what these hold in
        turn, may be part of it.

    Returns
    -------
    tuple of (str, str)
        Names and digests of the modules, sorted.
    """
    package = __name__.partition(".")[0]
    found: dict[str, str] = {}
    waiting = [names]
    while waiting:
        for value in waiting.pop().values():
            name = getattr(value, "__module__", None)
            if not isinstance(name, str) or name in found or name not in sys.modules:
                continue
            if callable(value) and name.partition(".")[0] == package:
                file = getattr(sys.modules[name], "__file__", None)
                found[name] = _digest(file) if file else ""
                waiting.append(vars(sys.modules[name]))
    return tuple(sorted(found.items()))


@functools.cache
def _digest(file: str) -> str:
    return hashlib.blake2b(Path(file).read_bytes(), digest_size=16).hexdigest()


def inline(function: Any) -> Any:
    """Compile `function` so that it is merged into the kernels that call it."""
    return njit(nogil=True, error_model="numpy", inline="always")(function)


def _bitcast(name: str, source: Any, target: Any) -> Any:
    def convert(typingctx: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

        return target(source), generate

    convert.__name__ = name
    return intrinsic(convert)


bits_of_float32 = _bitcast("bits_of_float32", types.float32, types.int32)
float32_of_bits = _bitcast("float32_of_bits", types.int32, types.float32)
bits_of_float64 = _bitcast("bits_of_float64", types.float64, types.int64)
float64_of_bits = _bitcast("float64_of_bits", types.int64, types.float64)


@intrinsic
def fused_multiply_add(typingctx: Any, x: Any, y: Any, z: Any) -> Any:
    """Compute ``x * y + z`` with one rounding, on any processor (IEEE 754-2008, 5.4.1)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return x(x, x, x), generate


@intrinsic
def add_scaled_block(
    typingctx: Any, total: Any, start: Any, weights: Any, block: Any, factor: Any
) -> Any:
    """Add ``factor * weights[block]`` to ``total[start : start + BLOCK]`` as one vector operation.

    The compiler cannot prove that `total` and `weights` are apart, so a plain loop over 16 values
    stays scalar (4 times slower, measured). Product and sum are rounded apart, as in the plain
    loop. `total` is float32 (n,), `weights` float32 (blocks, BLOCK), both C-contiguous; no bounds
    are checked.
    """
    vector = ir.VectorType(ir.FloatType(), BLOCK)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def pointer(position: int, index: Any) -> Any:
            array = context.make_array(signature.args[position])(
                context, builder, arguments[position]
            )
            return builder.bitcast(builder.gep(array.data, [index]), vector.as_pointer())

        target = pointer(0, arguments[1])
        source = pointer(2, builder.mul(arguments[3], arguments[3].type(BLOCK)))
        total_value, weight_value = builder.load(target), builder.load(source)
        factors = ir.Constant(vector, ir.Undefined)
        for lane in range(BLOCK):
            factors = builder.insert_element(factors, arguments[4], ir.IntType(32)(lane))
        result = builder.store(
            builder.fadd(total_value, builder.fmul(weight_value, factors)), target
        )
        # Arrays are aligned to their items, not to vectors.
        for access in (total_value, weight_value, result):
            access.align = 4
        return context.get_dummy_value()

    return types.none(total, types.int64, weights, types.int64, types.float32), generate


ROWS, PANEL = 4, 2 * BLOCK
"""Sums that :func:`add_scaled_rows` makes at once, and values of each: eight vectors."""


@intrinsic
def add_scaled_rows(
    typingctx: Any, sums: Any, images: Any, first: Any, count: Any, start: Any, factors: Any
) -> Any:
    """Add images times factors to four rows of sums, which stay in registers meanwhile.

    For each of :data:`ROWS` rows r and :data:`PANEL` values x, ``sums[r, x]`` becomes the sum of
    itself and ``factors[r, i] * images[first + i, start + x]`` for i in 0..count - 1, added one by
    one in this order, each with one rounding.

    `sums` is float32 (ROWS, PANEL), `images` float32 (image, pixel), `factors` float32 (ROWS,
    count or more), all C-contiguous; no bounds are checked.
    """
    scalar, whole = ir.FloatType(), ir.IntType(64)
    vector = ir.VectorType(scalar, BLOCK)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def array_of(position: int) -> Any:
            make = context.make_array(signature.args[position])
            return make(context, builder, arguments[position])

        def length(array: Any) -> Any:
            return builder.extract_value(array.shape, 1)

        def load(pointer: Any) -> Any:
            value = builder.load(builder.bitcast(pointer, vector.as_pointer()))
            value.align = 4  # arrays are aligned to their items, not to vectors
            return value

        fused = builder.module.declare_intrinsic(
            f"llvm.fma.v{BLOCK}f32", fnty=ir.FunctionType(vector, [vector] * 3)
        )
        total, source, weight = array_of(0), array_of(1), array_of(5)
        _, _, begin, number, offset, _ = arguments
        places = [(row, part) for row in range(ROWS) for part in range(PANEL // BLOCK)]
        kept = {}
        for row, part in places:
            place = builder.gep(total.data, [whole(row * PANEL + part * BLOCK)])
            kept[row, part] = cgutils.alloca_once_value(builder, load(place))
        with cgutils.for_range(builder, number) as loop:
            image = builder.mul(builder.add(begin, loop.index), length(source))
            image = builder.add(image, offset)
            values = [
                load(builder.gep(source.data, [builder.add(image, whole(part * BLOCK))]))
                for part in range(PANEL // BLOCK)
            ]
            for row in range(ROWS):
                place = builder.add(builder.mul(length(weight), whole(row)), loop.index)
                factor = builder.load(builder.gep(weight.data, [place]))
                lane = builder.insert_element(
                    ir.Constant(vector, ir.Undefined), factor, ir.IntType(32)(0)
                )
                everywhere = builder.shuffle_vector(
                    lane,
                    ir.Constant(vector, ir.Undefined),
                    ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), [0] * BLOCK),
                )
                for part, value in enumerate(values):
                    slot = kept[row, part]
                    added = builder.call(fused, [everywhere, value, builder.load(slot)])
                    builder.store(added, slot)
        for row, part in places:
            place = builder.gep(total.data, [whole(row * PANEL + part * BLOCK)])
            store = builder.store(
                builder.load(kept[row, part]), builder.bitcast(place, vector.as_pointer())
            )
            store.align = 4
        return context.get_dummy_value()

    integers = types.int64, types.int64, types.int64
    return types.none(sums, images, *integers, factors), generate
