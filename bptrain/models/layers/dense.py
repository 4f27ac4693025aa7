"""The affine layer, with a gradient that is a product XLA has a fast kernel for.

The gradient of x W for W is the transpose of x times what comes back. Where its left operand is to be read transposed,
XLA on a CPU leaves a product to a general routine, which takes up to twice as long as its own kernels. So x is
transposed on its own, behind a fence: what XLA does not look through, or it would put the two together again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras

ops = keras.ops
Fence = Callable[[Any], Any]
_fence: ContextVar[Fence | None] = ContextVar("fence", default=None)


@contextmanager
def compiled_with(fence: Fence | None) -> Iterator[None]:
    """Within: what XLA compiles and does not look through, the backend's own operation; None where it compiles not."""
    before = _fence.set(fence)
    try:
        yield
    finally:
        _fence.reset(before)


def product(inputs: Any, kernel: Any) -> Any:
    """(…, width) times (width, units)."""
    fence = _fence.get()
    if fence is None:
        return ops.matmul(inputs, kernel)

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def of_rows(rows: Any, kernel: Any) -> Any:
        def gradient(*results: Any, upstream: Any = None) -> tuple[Any, Any]:
            back = results[0] if upstream is None else upstream
            return ops.matmul(back, ops.transpose(kernel)), ops.matmul(fence(ops.transpose(rows)), back)

        return ops.matmul(rows, kernel), gradient

    rows = ops.reshape(inputs, (-1, inputs.shape[-1]))
    return ops.reshape(of_rows(rows, ops.convert_to_tensor(kernel)), (-1, *inputs.shape[1:-1], kernel.shape[-1]))


class Dense(keras.layers.Dense):  # type: ignore[misc]  # Keras has no types
    """(batch, …, width) → (batch, …, units): x W + b, as Keras' own layer, which trains more slowly."""

    def call(self, inputs: Any) -> Any:
        return self.activation(product(inputs, self.kernel) + self.bias)
