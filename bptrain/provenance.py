"""What a result depends on: the content of lock.json."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from bptrain import __version__, environment
from bptrain.config.schema import Config
from bptrain.errors import DataError, Problem
from bptrain.runs.platform import processor
from bptrain.runs.storage import canonical_json

FORMAT = 1
PACKAGES = ("keras", "tensorflow", "numpy", "pandas", "pyarrow", "scikit-learn")
BACKENDS = {"tensorflow": (), "jax": ("jax", "jaxlib")}  # the packages that each needs besides


def lock(
    config: Config,
    data: Mapping[str, str],
    results: Mapping[str, str],
    *,
    threads: int,
    warm_start: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """lock.json: digests of what went in and what came out, versions, seed, threads, processor and backend.

    `data` maps each input file, as the config names it, to its sha256; `results` maps names to digests. `threads` is
    what the backend used; `pinned` says whether the variables were set before numpy and TensorFlow loaded;
    `warm_start` holds the digest of the weights that training began with.
    """
    packages = (*PACKAGES, *BACKENDS[environment.backend()])
    return {
        "format": FORMAT,
        "config": config_digest(config),
        "data": dict(data),
        "results": dict(results),
        "seed": config.seed,
        "threads": threads,
        "pinned": environment.pinned(),
        "versions": {"bptrain": __version__} | {package: version(package) for package in packages},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "variables": {name: os.environ.get(name, "") for name in environment.SETTINGS},
        "backend": environment.backend(),
    } | ({"warm_start": dict(warm_start)} if warm_start else {})


def check_data(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Raise DataError for files (name → sha256) that are not those a run was made with."""
    changed = [name for name in found if expected.get(name) != found[name]]
    gone = [name for name in expected if name not in found]
    if changed or gone:
        raise DataError(
            *(
                Problem(
                    "BP270",
                    "this file is not the one that the run was made with: its sha256 differs",
                    where=name,
                    hints=("judge other data with `bptrain evaluate RUN --data FILE`, or restore the file",),
                )
                for name in changed
            ),
            *(Problem("BP270", "this file of the run is no longer among its data", where=name) for name in gone),
        )


def config_digest(config: Config) -> str:
    """sha256 of the complete config without its paths, independent of how the file was written."""
    values = config.model_dump(mode="json", exclude={"data": {"train", "validation", "test"}, "model": {"from_run"}})
    return hashlib.sha256(canonical_json(values).encode()).hexdigest()
