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

    class Template(ConcreteTemplate):
        cases = [signature(vector, *pair) for pair in pairs]  # noqa: RUF012 (Numba's interface)

    infer: Any = infer_global(function)
    infer(Template)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right = (_spread(builder, value) for value in arguments)
        return getattr(builder, instruction)(left, right)

    for pair in pairs:
        lower_builtin(function, *pair)(generate)


for _function, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operator(_function, _instruction)


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
        kind = ir.FunctionType(VALUES, (VALUES, VALUES, VALUES))
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.v16f32")
        return builder.call(function, [_spread(builder, value) for value in arguments])

    result = vector if vector in (x, y, z) else x
    return result(x, y, z), generate
