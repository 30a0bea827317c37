"""A local score behind an address, so that a search over orders is compiled once, and not again for every score.

:func:`hide` writes a score and its slots to memory and compiles one function for scores of that type: it answers each of
the eight questions of :mod:`causalnet.stats.scores.contract` about what stands there. To ask a :class:`Hidden` score is to
call that function by its address; nothing of what it runs is compiled into the search, or once more with it. Nor is what a
score keeps :func:`apart <causalnet.stats.scores.contract.apart>` compiled into each of its own answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core.cgutils import alloca_once_value
from numba.core.registry import cpu_target
from numba.extending import intrinsic, overload

from ...base.arrays import Ints
from .contract import BARE, QUESTIONS, Slots, add, apart, begin, best_add, best_drop, copy, drop, helps, rise

BEGIN, COPY, ADD, DROP, HELPS, RISE, BEST_ADD, BEST_DROP = range(len(QUESTIONS))


class Hidden(NamedTuple):
    """address: (2,) of the compiled answers, and of the memory with the score and its slots. memory: it."""

    address: Ints
    memory: Ints


def hide(score: Any, slots: Slots) -> Hidden:
    """``score`` and its slots behind addresses: their arrays are those that stand there, and have to outlive it."""
    told = numba.typeof((score, slots))
    target = cpu_target.target_context
    memory = np.zeros(target.get_abi_sizeof(target.get_data_type(told)) // 8 + 1, np.int64)
    _write((score, slots), memory)
    aside = apart(score)
    if aside is not None:
        aside[1][:] = _address(aside[0], told), memory.ctypes.data
    return Hidden(np.array([_address(_answer, told), memory.ctypes.data]), memory)


def _address(kernel: Any, told: Any) -> int:
    """Of a kernel with the arguments of :func:`_answer`, compiled for what numba calls ``told``."""
    arrays = (types.CPointer(kind[::1]) for kind in (types.float64, types.boolean))
    signature = types.CPointer(told), types.int64, types.int64, types.int64, *arrays
    kernel.compile(signature)
    made = kernel.overloads[signature]
    return int(made.library.get_pointer_to_function(made.fndesc.llvm_cfunc_wrapper_name))


@njit(**BARE)
def _answer(told: Any, question: int, s: int, x: int, may: Any, fixed: Any) -> float:
    """What the score told[0] says. may[0] and fixed[0]: the array of best_add, and that of best_drop."""
    if question == BEGIN:  # each loads what it needs
        score, slots = told[0]
        begin(score, slots, s, x)
    elif question == COPY:
        score, slots = told[0]
        copy(score, slots, s, x)
    elif question == ADD:
        score, slots = told[0]
        add(score, slots, s, x)
    elif question == DROP:
        score, slots = told[0]
        drop(score, slots, s, x)
    elif question == HELPS:
        score, slots = told[0]
        return 1.0 if helps(score, slots, s, x) else 0.0
    elif question == RISE:
        score, slots = told[0]
        return rise(score, slots, s, x)
    elif question == BEST_ADD:
        score, slots = told[0]
        return float(best_add(score, slots, s, may[0]))
    elif question == BEST_DROP:
        score, slots = told[0]
        return float(best_drop(score, slots, s, fixed[0]))
    return 0.0


@intrinsic
def _pointer(typingctx, memory, pair):  # type: ignore[no-untyped-def]
    """The start of the array ``memory``, as a pointer to what ``pair`` is."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        return builder.bitcast(array.data, context.get_value_type(signature.return_type))

    return types.CPointer(pair)(memory, pair), build


@njit(cache=True)
def _write(pair: Any, memory: Ints) -> None:
    place = _pointer(memory, pair)
    place[0] = pair


@intrinsic
def call(typingctx, address, question, s, x, array):  # type: ignore[no-untyped-def]
    """address[0](address[1], question, s, x, a, a), a where ``array`` stands, of whichever type."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(64)
        both = context.make_array(signature.args[0])(context, builder, args[0]).data
        answers, told = (builder.load(builder.gep(both, [number(i)])) for i in range(2))
        kind = ir.FunctionType(ir.DoubleType(), [byte, number, number, number, byte, byte])
        a = builder.bitcast(alloca_once_value(builder, args[4]), byte)
        answer = builder.inttoptr(answers, kind.as_pointer())
        return builder.call(answer, [builder.inttoptr(told, byte), *args[1:4], a, a])

    return types.float64(address, types.int64, types.int64, types.int64, array), build


def _ask(question: Callable[..., Any], answer: Callable[..., Any]) -> None:
    def choose(score, slots, s, x):  # type: ignore[no-untyped-def]
        return answer if getattr(score, "instance_class", None) is Hidden else None

    overload(question, inline="always")(choose)


_ask(begin, lambda score, slots, s, x: call(score.address, BEGIN, s, x, slots.node))
_ask(copy, lambda score, slots, s, x: call(score.address, COPY, s, x, slots.node))
_ask(add, lambda score, slots, s, x: call(score.address, ADD, s, x, slots.node))
_ask(drop, lambda score, slots, s, x: call(score.address, DROP, s, x, slots.node))
_ask(helps, lambda score, slots, s, x: call(score.address, HELPS, s, x, slots.node) > 0.0)
_ask(rise, lambda score, slots, s, x: call(score.address, RISE, s, x, slots.node))
_ask(best_add, lambda score, slots, s, x: np.int64(call(score.address, BEST_ADD, s, np.int64(0), x)))
_ask(best_drop, lambda score, slots, s, x: np.int64(call(score.address, BEST_DROP, s, np.int64(0), x)))
