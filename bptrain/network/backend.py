"""TensorFlow, started once and the same way everywhere."""

from __future__ import annotations

from bptrain import environment

EPSILON = 1e-7


def start(*, threads: int) -> None:
    """Import Keras on TensorFlow with our settings; takes seconds the first time in a process.

    Threads can be set only before TensorFlow's first operation; later calls in the same process keep the first number.
    """
    environment.configure()
    environment.keep_freed_memory()
    with environment.quiet_stderr():
        import keras
        import tensorflow as tf

        keras.config.set_floatx("float32")
        keras.config.set_epsilon(EPSILON)
        keras.config.set_image_data_format("channels_last")
        keras.config.set_dtype_policy("float32")
        tf.get_logger().setLevel("ERROR")  # no advice on retracing: each fit has its own network
        _set_threads(tf.config.threading, threads)


def fresh_names() -> None:
    """Let Keras number unnamed operations from one again, so that equal networks have equal names in a long process."""
    import keras

    keras.utils.clear_session(free_memory=False)


def threads() -> int:
    """The threads that TensorFlow's arithmetic uses in this process."""
    import tensorflow as tf

    return int(tf.config.threading.get_intra_op_parallelism_threads())


def _set_threads(threading: object, threads: int) -> None:
    import contextlib

    with contextlib.suppress(RuntimeError):  # TensorFlow has begun: the number is fixed
        threading.set_intra_op_parallelism_threads(threads)  # type: ignore[attr-defined]
        threading.set_inter_op_parallelism_threads(1)  # type: ignore[attr-defined]
