"""Vectors of 16 float32 inside kernels: sums that stay in registers, in the order written.

A loop that the compiler makes vectors of by itself loads and stores its sum at every step; here the
innermost loop may run over terms, and the sum is a variable. Every lane is a value of its own and
every operation the IEEE one, so results are those of the plain loop, bit for bit, and on any
processor: one with narrower registers takes several for a vector.

Inside kernels vectors know ``+ - * /`` with vectors and with float32 numbers, and the functions of
this module. Arrays are C-contiguous float32 of any shape, and places count their values from the
first one; no bounds are checked.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

from .acceleration import intrinsic

LANES = 16
"""Values of a vector: one register of the widest processors."""

VALUES = ir.VectorType(ir.FloatType(), LANES)


class VectorType(types.Type):
    """Numba's type of a vector."""

    def __init__(self) -> None:
        super().__init__("float32x16")


vector = VectorType()


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, VALUES)


def _spread(builder: Any, value: Any) -> Any:
    """Return a vector of one number."""
    if value.type == VALUES:
        return value
    first = builder.insert_element(ir.Constant(VALUES, ir.Undefined), value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(VALUES, ir.Undefined), zeros)


def _operator(function: Any, instruction: str) -> None:
    """Let vectors know an operator, also with a number on either side."""
    pairs = [(vector, vector), (vector, types.float32), (types.float32, vector)]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right = (_spread(builder, value) for value in arguments)
        return getattr(builder, instruction)(left, right)

    _teach(function, pairs, generate)


def _teach(function: Any, known: list[tuple[Any, ...]], generate: Any) -> None:
    """Tell Numba how a builtin is compiled for some types."""

    class Template(ConcreteTemplate):
        cases = [signature(vector, *kinds) for kinds in known]  # noqa: RUF012 (Numba's interface)

    infer: Any = infer_global(function)
    infer(Template)
    for kinds in known:
        lower_builtin(function, *kinds)(generate)


def _call(builder: Any, name: str, *values: Any) -> Any:
    """Call an operation of LLVM on vectors."""
    kind = ir.FunctionType(VALUES, [VALUES] * len(values))
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v16f32")
    return builder.call(function, values)


for _function, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operator(_function, _instruction)
_teach(operator.neg, [(vector,)], lambda context, builder, kinds, values: builder.fneg(values[0]))
_teach(abs, [(vector,)], lambda context, builder, kinds, values: _call(builder, "fabs", values[0]))


def _pointer(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [place])


@intrinsic
def broadcast(typingctx: Any, value: Any) -> Any:
    """Return a vector of one float32 number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return vector(types.float32), generate


@intrinsic
def halves(typingctx: Any, first: Any, second: Any) -> Any:
    """Return a vector of one float32 number in its first half and another one in the second."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(32), LANES)
        order = ir.Constant(kind, [0] * (LANES // 2) + [LANES] * (LANES // 2))
        return builder.shuffle_vector(*(_spread(builder, value) for value in arguments), order)

    return vector(types.float32, types.float32), generate


@intrinsic
def load(typingctx: Any, array: Any, place: Any) -> Any:
    """Return the 16 values of `array` from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], *arguments)
        value = builder.load(builder.bitcast(pointer, VALUES.as_pointer()))
        value.align = 4  # arrays are aligned to their values, not to vectors
        return value

    return vector(array, types.intp), generate


@intrinsic
def store(typingctx: Any, array: Any, place: Any, value: Any) -> Any:
    """Write a vector to `array` from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], *arguments[:2])
        written = builder.store(arguments[2], builder.bitcast(pointer, VALUES.as_pointer()))
        written.align = 4
        return context.get_dummy_value()

    return types.none(array, types.intp, vector), generate


@intrinsic
def fused_multiply_add(typingctx: Any, x: Any, y: Any, z: Any) -> Any:
    """Compute ``x * y + z`` with one rounding, of vectors, numbers or both."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if signature.return_type != vector:
            return builder.fma(*arguments)
        return _call(builder, "fma", *(_spread(builder, value) for value in arguments))

    return _result(x, y, z)(x, y, z), generate


@intrinsic
def where_less(typingctx: Any, x: Any, y: Any, then: Any, otherwise: Any) -> Any:
    """Return `then` where ``x < y`` and `otherwise` elsewhere, of vectors, numbers or both."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if signature.return_type == vector:
            arguments = [_spread(builder, value) for value in arguments]
        less = builder.fcmp_ordered("<", *arguments[:2])
        return builder.select(less, *arguments[2:])

    return _result(x, y, then, otherwise)(x, y, then, otherwise), generate


@intrinsic
def load_pairs(typingctx: Any, array: Any, place: Any) -> Any:
    """Return the values at even and those at odd places of the 32 from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], *arguments)
        both = ir.VectorType(ir.FloatType(), 2 * LANES)
        value = builder.load(builder.bitcast(pointer, both.as_pointer()))
        value.align = 4
        kind = ir.VectorType(ir.IntType(32), LANES)
        parts = [
            builder.shuffle_vector(
                value,
                ir.Constant(both, ir.Undefined),
                ir.Constant(kind, list(range(first, 2 * LANES, 2))),
            )
            for first in (0, 1)
        ]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(vector, 2)(array, types.intp), generate


def _result(*kinds: Any) -> Any:
    """Return the type of what is made of vectors and numbers."""
    return vector if vector in kinds else kinds[0]
