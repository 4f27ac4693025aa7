"""What must be set before numpy and TensorFlow load. The command line imports this module before anything else.

Results may not depend on the machine's defaults: oneDNN's kernels differ by CPU, BLAS blocks by thread count, and a
user's keras.json could change the float type. bptrain reads none of these and writes no file outside the run.
"""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

BACKENDS = ("tensorflow", "jax")  # of Keras, by the variable KERAS_BACKEND
SETTINGS: Mapping[str, str] = {
    "KERAS_HOME": os.devnull,  # a folder that cannot be: no keras.json is read or written
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
# Libraries choose their arithmetic by what the processor can do, and sums in other orders are other sums. All are held
# to the instructions of x86-64-v3, which servers and desktops have had since 2013 and 2015. XLA would also take what
# a maker's processors approximate in their own way, and products of matrices from a table of processors.
INSTRUCTIONS = "AVX2"
PINNED: Mapping[str, str] = {
    "ONEDNN_MAX_CPU_ISA": INSTRUCTIONS,
    "OPENBLAS_CORETYPE": "Haswell",
    "ARROW_USER_SIMD_LEVEL": INSTRUCTIONS,
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
XLA_PINNED = (f"--xla_cpu_max_isa={INSTRUCTIONS}", "--xla_cpu_enable_platform_dependent_math=false")
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"  # what JAX needs besides
DEBOUNCE_SECONDS = 1.0  # signals so close together are one: `timeout` sends two
_GIT_SECONDS = 5
KEPT_BYTES = 64 * 2**20
_M_TOP_PAD = -2  # of glibc's malloc.h
REMOVED = (
    "KERAS_MAX_EPOCHS",
    "KERAS_MAX_STEPS_PER_EPOCH",
    "KERAS_NNX_ENABLED",
    "TF_USE_LEGACY_KERAS",
)


_state: dict[str, bool | str | None] = {"pinned": False, "own": False, "instructions": None}


def configure() -> None:
    """Set the variables, as far as it is not too late. KERAS_BACKEND is the one that stays as it was."""
    if "numpy" not in sys.modules and "tensorflow" not in sys.modules:
        _state["pinned"] = True
    os.environ.update(SETTINGS, KERAS_BACKEND=backend())
    if instructions():
        flags = [flag for flag in os.environ.get("XLA_FLAGS", "").split() if flag not in XLA_PINNED]
        os.environ.update(PINNED, XLA_FLAGS=" ".join([*flags, *XLA_PINNED]))  # ours at the end, where they count
    for name in REMOVED:
        os.environ.pop(name, None)


def instructions() -> str:
    """What every library is held to, or an empty text on a processor without it; Linux tells what one has."""
    if _state["instructions"] is None:
        flags = ""
        with suppress(OSError), Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
        _state["instructions"] = INSTRUCTIONS if "avx2" in flags.split() else ""
    return str(_state["instructions"])


def recorded() -> dict[str, str]:
    """The variables that results may depend on: those that are set here, and flags of the user."""
    variables = {name: os.environ.get(name, "") for name in (*SETTINGS, *PINNED, "XLA_FLAGS", "TF_XLA_FLAGS")}
    flags = variables["XLA_FLAGS"].split()
    variables["XLA_FLAGS"] = " ".join(flag for flag in flags if flag != ONE_THREAD)  # which follows from `threads`
    return variables


def backend() -> str:
    """What Keras is asked to compute with, TensorFlow by default; `models.backend` refuses what is none of ours."""
    return os.environ.get("KERAS_BACKEND") or BACKENDS[0]


def pinned() -> bool:
    """Whether the variables were set before numpy or TensorFlow was loaded, so that all of them hold."""
    return bool(_state["pinned"])


def set_own_process() -> None:
    """Say that this process is bptrain's alone, before it loads libraries: see `without_collection`."""
    _state["own"] = True
    gc.disable()


def is_own_process() -> bool:
    """Whether `set_own_process` said so."""
    return bool(_state["own"])


@contextmanager
def without_collection() -> Iterator[None]:
    """Import libraries without the search for unreachable objects, which takes a quarter of the time and finds little.

    In a process of our own it is off from the beginning, and later searches pass over all that is there by then.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if _state["own"] and not gc.get_freeze_count():
            gc.freeze()
        if _state["own"] or enabled:
            gc.enable()


def keep_freed_memory() -> None:
    """Let glibc keep so much of what is freed: else TensorFlow's threads give and take pages in every step.

    On a 2 x 256 network this saves a quarter of the time (benchmarks/attempts.md). Other C libraries are left alone.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_TOP_PAD, KEPT_BYTES)


def give_back_memory() -> None:
    """Return what Arrow and glibc keep of freed memory to the system: one stage's is of little use to the next.

    In a process of our own, also what only unreachable objects hold, such as the rows that a Keras model trained on.
    """
    if _state["own"] and gc.isenabled():
        gc.collect()
    if (arrow := sys.modules.get("pyarrow")) is not None:
        arrow.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what libraries write to file descriptor 2 nowhere: TensorFlow's start prints what no user can act on."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
        original: int | None = os.dup(2)
    except (OSError, ValueError):  # closed, as for some services; ValueError: the stream was
        original = None
    if original is None:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        os.close(nowhere)


def processor() -> str:
    """The name of the processor as the system tells it, or an empty text."""
    if sys.platform == "linux":
        with suppress(OSError), Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    return platform.processor()


def git_state() -> dict[str, str | bool] | None:
    """The commit of the repository that the work is done in, and whether tracked files differ from it.

    For the record: no result depends on it. None outside a repository, or without git.
    """
    texts = []
    for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no")):
        try:
            done = subprocess.run(
                ["git", *arguments],
                capture_output=True,
                text=True,
                timeout=_GIT_SECONDS,
                check=True,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            return None
        texts.append(done.stdout.strip())
    return {"commit": texts[0], "dirty": bool(texts[1])}
