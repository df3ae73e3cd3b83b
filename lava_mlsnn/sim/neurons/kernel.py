"""What a compiled neuron is: its equation on Lanes, its parameters, and the loop that is generated from them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numpy.typing import NDArray

from ...graph.graph import Layer
from ...graph.neurons import Neuron
from ..simd import I32, I64, WIDTH, Lanes, constant, in_pieces, intrinsic, load, pointer_to, spread, store

KERNELS: list[Kernel] = []
"""All of them; their numbers are in the node table."""

ONE, ROWS, SHARED = "one value per neuron", "rows", "one value per layer"
"""Forms of a parameter: see :class:`Kernel`."""


@dataclass(frozen=True, eq=False)
class Arranged:
    """A neuron as its kernel reads it: the kernel, and a value for each of its parameters."""

    kernel: Kernel
    values: dict[str, NDArray[Any]]


class Kernel:
    """One timestep of a population, from which the compiled loop over neurons and channels is generated.

    Called with a value for every parameter of ``step`` but current and state, it gives what :func:`arrange` wants:

    ========================  =====================================================
    parameter                 value
    ========================  =====================================================
    positional                () or (C,); (T, C): one row per step; (C, H, W)
    positional, ``: Rows``    (R, C): ``step`` gets all rows of a neuron
    keyword-only              (): one number for the whole layer
    ========================  =====================================================

    All are int32; a float32 is passed by its bits (``view``).

    Args:
        step: ``step(current, *state, *parameters) -> (spikes, *new state)`` on Lanes; spikes None sends nothing.
        state: names of the state arrays, those of the neuron's class and of the parameters of ``step``.
        currents: how many currents ``step`` takes first.
        from_zero: whether the first step of a sample, in which the state is zero, gets a loop of its own.
    """

    def __init__(
        self, step: Callable[..., tuple[Lanes | None, ...]], *state: str, currents: int = 1, from_zero: bool = False
    ) -> None:
        names = list(inspect.signature(step).parameters.values())
        driven_by = ["current"] if currents == 1 else [p.name for p in names[:currents]]
        if [p.name for p in names][: currents + len(state)] != [*driven_by, *state]:
            raise TypeError(f"{step.__qualname__}: expected the parameters {', '.join([*driven_by, *state])} first")
        self.step, self.state, self.currents, self.from_zero = step, state, currents, from_zero
        self.parameters = {p.name: self._form(p) for p in names[currents + len(state) :]}
        KERNELS.append(self)

    @staticmethod
    def _form(parameter: inspect.Parameter) -> str:
        if parameter.kind == inspect.Parameter.KEYWORD_ONLY:
            return SHARED
        return ROWS if parameter.annotation in ("Rows", Rows) else ONE

    def __call__(self, **values: Any) -> Arranged:
        if values.keys() != self.parameters.keys():
            raise TypeError(f"{self.step.__qualname__}: expected {list(self.parameters)}, got {list(values)}")
        return Arranged(self, {name: np.asarray(values[name]) for name in self.parameters})


class Rows:
    """A table of which every neuron has a column, read row by row at run time."""

    def __init__(self, builder: ir.IRBuilder, begin: ir.Value, count: ir.Value, stride: ir.Value, lanes: int) -> None:
        self.builder, self.begin, self.count, self.stride, self.lanes = builder, begin, count, stride, lanes

    def total(self, term: Callable[[Lanes], Lanes]) -> Lanes:
        """Sum of ``term(row)`` over all rows."""
        kind = ir.VectorType(I32, self.lanes) if self.lanes > 1 else I32
        place = cgutils.alloca_once(self.builder, kind)
        self.builder.store(constant(kind, 0), place)
        with cgutils.for_range(self.builder, self.count, intp=I64) as row:
            pointer = self.builder.gep(self.begin, [self.builder.mul(row.index, self.stride)])
            value = term(Lanes(self.builder, load(self.builder, pointer, self.lanes))).value
            self.builder.store(self.builder.add(self.builder.load(place), value), place)
        return Lanes(self.builder, self.builder.load(place))


N = TypeVar("N", bound=Neuron)
_ARRANGERS: dict[str, Callable[[Any, NDArray[np.int64]], Arranged]] = {}


def compiles(*kinds: type[Neuron]) -> Callable[[Callable[[N, NDArray[np.int64]], Arranged]], Any]:
    """Decorator of ``f(neuron, bias) -> Kernel(...)``, which says how the engine computes neurons of these classes.

    ``bias`` is that of the layer, int64 (C,) or (C, H, W); zeros if it has none.
    """

    def register(function: Callable[[N, NDArray[np.int64]], Arranged]) -> Any:
        _ARRANGERS.update({neuron.kind: function for neuron in kinds})
        return function

    return register


def arrange(layer: Layer) -> Arranged:
    """The kernel of a layer's neurons and its parameters.

    Raises:
        TypeError: no file in this folder compiles neurons of that kind.
    """
    neuron = layer.neuron
    if neuron.kind not in _ARRANGERS:
        raise TypeError(f"layer {layer.name!r}: no kernel for a neuron of type {type(neuron).__name__}")
    bias = np.zeros(layer.shape[0], np.int64) if layer.bias is None else layer.bias.astype(np.int64)
    arranged = _ARRANGERS[neuron.kind](neuron, bias)
    if arranged.kernel.currents != neuron.currents:
        raise TypeError(f"{neuron.kind}: {neuron.currents} currents, its kernel takes {arranged.kernel.currents}")
    if arranged.kernel.state != neuron.state:
        raise TypeError(f"{neuron.kind}: expected a kernel with the state {neuron.state}, got {arranged.kernel.state}")
    return arranged


class Span(NamedTuple):
    """The neurons of one call: ``rounds`` times ``length``, side by side in each array.

    Parameters begin again in every round (they are those of the channels) at ``place``. Where neurons take several
    currents, those of a round lie one after the other.
    """

    rounds: Any
    length: Any
    current: Any  # places in work
    state: Any
    state_size: Any
    spikes: Any
    parameters: Any  # the first row in the table of parameters
    place: Any
    t: Any  # index of the step within the sample
    fresh: Any  # whether the state begins at zero, whatever it was


@intrinsic
def update(typingctx: Any, kernel: Any, work: Any, constants: Any, parameters: Any, span: Any) -> Any:
    """``update(kernel, work, constants, parameters, span)``: one step of the neurons of a span; currents become zero.

    The code is a ``switch`` with a case for each of :data:`KERNELS`.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number, *arrays, packed = args
        where = Span(*(builder.extract_value(packed, k) for k in range(len(Span._fields))))
        memory = [
            pointer_to(context, builder, kind, array, I64(0))
            for kind, array in zip(sig.args[1:3], arrays, strict=False)
        ]
        table = builder.bitcast(context.make_array(sig.args[3])(context, builder, arrays[2]).data, I64.as_pointer())
        end = builder.append_basic_block("updated")
        switch = builder.switch(number, end)
        for k, case in enumerate(KERNELS):
            block = builder.append_basic_block(f"kernel{k}")
            switch.add_case(I64(k), block)
            builder.position_at_end(block)
            _Loop(builder, case, where, memory[0], memory[1], table).emit()
            builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return types.void(kernel, work, constants, parameters, span), codegen


class _Loop:
    """Emits the loops of one kernel over a span."""

    def __init__(
        self, builder: ir.IRBuilder, kernel: Kernel, where: Span, work: ir.Value, constants: ir.Value, table: ir.Value
    ) -> None:
        self.builder, self.kernel, self.where, self.work = builder, kernel, where, work
        self.parameters = [self._parameter(constants, table, k) for k in range(len(kernel.parameters))]

    def _parameter(self, constants: ir.Value, table: ir.Value, k: int) -> Any:
        """(pointer, rows, stride) of a parameter: of its row of this step unless it gives all rows."""
        b, form = self.builder, list(self.kernel.parameters.values())[k]
        row = b.add(self.where.parameters, I64(k))
        start, rows, stride = (b.load(b.gep(table, [b.add(b.mul(row, I64(3)), I64(i))])) for i in range(3))
        if form == SHARED:
            return b.load(b.gep(constants, [start]))
        if form == ONE:
            start = b.add(start, b.mul(self.where.t, stride))  # the stride of a single row is zero
        return b.gep(constants, [b.add(start, self.where.place)]), rows, stride

    def emit(self) -> None:
        if not self.kernel.from_zero:
            self._rounds(known_zero=False)
            return
        with self.builder.if_else(self.where.fresh) as (first, later):
            with first:
                self._rounds(known_zero=True)
            with later:
                self._rounds(known_zero=False)

    def _rounds(self, known_zero: bool) -> None:
        b, where = self.builder, self.where
        kept = b.select(where.fresh, I32(0), I32(-1))  # bits of a state
        with cgutils.for_range(b, where.rounds, intp=I64) as turn:
            begin = b.mul(turn.index, where.length)
            gap = b.mul(begin, I64(self.kernel.currents))
            currents = [
                b.gep(self.work, [b.add(b.add(where.current, gap), b.mul(where.length, I64(k)))])
                for k in range(self.kernel.currents)
            ]
            spikes = b.gep(self.work, [b.add(where.spikes, begin)])
            states = [
                b.gep(self.work, [b.add(b.add(where.state, b.mul(where.state_size, I64(k))), begin)])
                for k in range(len(self.kernel.state))
            ]

            def emit(i: ir.Value, lanes: int) -> None:
                places = [b.gep(p, [i]) for p in (*currents, *states, spikes)]
                driven_by = [Lanes(b, load(b, p, lanes)) for p in places[: len(currents)]]
                nothing = constant(driven_by[0].value.type, 0)
                before = [
                    Lanes(b, nothing if known_zero else b.and_(load(b, p, lanes), spread(b, kept, lanes)))
                    for p in places[len(currents) : -1]
                ]
                sent, *after = self.kernel.step(*driven_by, *before, **self._values(i, lanes))
                for place in places[: len(currents)]:
                    store(b, nothing, place)
                for result, place in zip((*after, sent), places[len(currents) :], strict=True):
                    if result is not None:
                        store(b, result.value, place)

            in_pieces(b, where.length, (WIDTH, 1), emit)

    def _values(self, i: ir.Value, lanes: int) -> dict[str, Lanes | Rows]:
        b = self.builder
        values: dict[str, Lanes | Rows] = {}
        for (name, form), found in zip(self.kernel.parameters.items(), self.parameters, strict=True):
            if form == SHARED:
                values[name] = Lanes(b, spread(b, found, lanes))
                continue
            pointer, rows, stride = found
            here = b.gep(pointer, [i])
            values[name] = Rows(b, here, rows, stride, lanes) if form == ROWS else Lanes(b, load(b, here, lanes))
        return values
