"""Event files for TensorBoard: every number of the history, epoch by epoch, while training goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

NAME = "events.out.tfevents.0.bptrain"  # TensorFlow's own name tells time, machine and process


@contextmanager
def event_log(directory: Path | None) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """A function that writes a row of the history to an event file in `directory`; with None it writes nothing."""
    if directory is None:
        yield lambda row: None
        return
    import tensorflow as tf  # not needed otherwise on another backend

    # What tf.summary.scalar would write, which needs the package tensorboard; reading the files needs it, too.
    scalar = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"}, data_class="DATA_CLASS_SCALAR")
    writer = tf.summary.create_file_writer(str(directory))

    def write(row: Mapping[str, float]) -> None:
        with writer.as_default():
            for name, value in row.items():
                if name != "epoch":
                    value = tf.constant(value, tf.float32)
                    tf.summary.write(name, value, step=int(row["epoch"]), metadata=scalar)
        writer.flush()

    yield write
    writer.close()
    for path in directory.glob("events.out.tfevents.*"):
        path.replace(directory / NAME)
