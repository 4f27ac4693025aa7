"""A table and a short YAML file in; a trained, judged, reproducible Keras model out.

The commands as functions: `fit(config) -> Run`, then `run.evaluate()` and `run.predict(frame)`; `open_run(path)` gives
an earlier run. Names are imported when they are used, so that `import bptrain` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptrain.utils.version import __version__

__all__ = ["BptrainError", "Run", "__version__", "fit", "open_run"]

if TYPE_CHECKING:
    from bptrain.api import Run, fit, open_run
    from bptrain.errors import BptrainError


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'bptrain' has no attribute {name!r}")
    from bptrain import api

    return getattr(api, name)
