"""Keras' backend, started once and the same way everywhere: TensorFlow, or JAX where KERAS_BACKEND asks for it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeVar, cast

from bptrain.errors import UsageError
from bptrain.messages import models as messages
from bptrain.utils import runtime
from bptrain.utils.text import join_words

EPSILON = 1e-7
Function = TypeVar("Function", bound=Callable[..., object])
_starting = threading.Lock()
_started: list[int] = []  # with how many threads, once it is


def require() -> None:
    """Raise UsageError when KERAS_BACKEND asks for what is not ours or not installed; loads nothing."""
    asked = runtime.backend()
    if asked not in runtime.BACKENDS:
        raise UsageError(messages.UNKNOWN_BACKEND(backend=asked, known=join_words(runtime.BACKENDS)))
    if asked == "jax" and find_spec("jax") is None:
        raise UsageError(messages.MISSING_BACKEND())


def start(*, threads: int, predicting: bool = False) -> None:
    """Import Keras on its backend with our settings; takes seconds the first time in a process.

    Threads share the work of each operation, or, in a process that is `predicting` alone, each takes blocks of rows:
    most operations on a block are too short to be worth sharing. This changes no result. Threads can be set only
    before the backend's first operation; later calls in the same process keep what the first one set.
    Raises UsageError as `require` does, and when Keras was loaded with another backend before.
    """
    runtime.configure()
    require()
    with _starting, runtime.quiet_stderr(), runtime.without_collection():
        if not _started:
            runtime.keep_freed_memory()
            if runtime.backend() == "jax":
                _start_jax(threads)
            else:
                import tensorflow as tf

                # Rewriting formulas puts approximations of the processor into them, such as a product with rsqrt for
                # x / sqrt(y).
                tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False, "remapping": False})
                tf.get_logger().setLevel("ERROR")  # no advice on retracing: each fit has its own network
                with contextlib.suppress(RuntimeError):  # TensorFlow has begun: the number is fixed
                    tf.config.threading.set_intra_op_parallelism_threads(1 if predicting else threads)
                    tf.config.threading.set_inter_op_parallelism_threads(threads if predicting else 1)
            _started.append(threads)
        import keras

    if keras.config.backend() != runtime.backend():
        raise UsageError(messages.OTHER_BACKEND(loaded=keras.config.backend(), asked=runtime.backend()))
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(EPSILON)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")


def threads() -> int:
    """The threads that the backend's arithmetic uses in this process."""
    if runtime.backend() == "jax":
        return _started[0]
    import tensorflow as tf

    return int(tf.config.threading.get_intra_op_parallelism_threads())


def blocks_at_once() -> int:
    """How many threads may each compute a block of rows."""
    if runtime.backend() == "jax":
        return 1
    import tensorflow as tf

    return max(1, int(tf.config.threading.get_inter_op_parallelism_threads()))


def compiled_function(function: Function, *, jit_compile: bool) -> Function:
    """A pure function of tensors as a program, traced anew only for other shapes and types; JAX compiles every one."""
    if runtime.backend() == "jax":
        import jax

        return cast("Function", jax.jit(function))
    import tensorflow as tf

    return cast("Function", tf.function(function, jit_compile=jit_compile))


def _start_jax(threads: int) -> None:
    """JAX reads variables when it is first used: NPROC and PJRT_NPROC are the size of XLA's pool of threads."""
    for name in [name for name in os.environ if name.startswith(("JAX_", "XLA_")) and name != "XLA_FLAGS"]:
        del os.environ[name]
    os.environ |= {"JAX_PLATFORMS": "cpu", "NPROC": str(threads), "PJRT_NPROC": str(threads)}
    if threads == 1:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {runtime.ONE_THREAD}".strip()
    import jax

    jax.devices()
