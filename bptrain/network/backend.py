"""TensorFlow, started once and the same way everywhere."""

from __future__ import annotations

from bptrain import environment

EPSILON = 1e-7


def start(*, threads: int, seed: int = 0) -> None:
    """Import Keras on TensorFlow with our settings; takes seconds the first time in a process.

    Threads can be set only before TensorFlow's first operation; later calls in the same process keep the first number.
    """
    environment.configure()
    with environment.quiet_stderr():
        import keras
        import tensorflow as tf

        keras.config.set_floatx("float32")
        keras.config.set_epsilon(EPSILON)
        keras.config.set_image_data_format("channels_last")
        keras.config.set_dtype_policy("float32")
        keras.utils.clear_session(free_memory=False)
        tf.get_logger().setLevel("ERROR")  # no advice on retracing: each fit has its own network
        _set_threads(tf.config.threading, threads)
    keras.utils.set_random_seed(seed)


def _set_threads(threading: object, threads: int) -> None:
    import contextlib

    with contextlib.suppress(RuntimeError):  # TensorFlow has begun: the number is fixed
        threading.set_intra_op_parallelism_threads(threads)  # type: ignore[attr-defined]
        threading.set_inter_op_parallelism_threads(1)  # type: ignore[attr-defined]
