"""Proofs that runs are repeatable and survive interruptions, each with real processes.

python benchmarks/proofs.py NAME [how many]     writes its section of proofs.md; exit 0 if everything held
python benchmarks/proofs.py --tiny              every proof with one or two cases, nothing is written
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import shared
from shared import PAGES, ROOT, SMALL, TINY, settings
from shared import run as run_process

PAGE = PAGES / "proofs.md"
KILLING = ROOT / "tests" / "killing.py"
HEAD = "# Proofs of repeatability\n\nEach section is written by the command in it, with what it saw last.\n"
AT_ONCE = 2
N_ROWS, EPOCHS = (200, 3) if TINY else (2000, 8)
CONFIG = {
    "data": "t.csv",
    "target": {"column": "label", "task": "binary"},
    "columns": {"sort": "ignore", "amount": "ignore"},
    "model": {"kind": "mlp", "hidden": [32, 16], "dropout": 0.2, "normalization": "batch"},
    "training": {"epochs": EPOCHS, "batch_size": 32, "patience": None, "checkpoints": {"epochs": 1}},
}
Process = Any  # a subprocess.Popen, or what has its methods
Proof = tuple[str, bool]  # what was seen, in words, and whether it is as it should be


def main() -> int:
    """Run one proof, or one of the child processes it needs."""
    name, *numbers = shared.arguments() or [""]
    if name == "--trainings":
        return _trainings(numbers)
    if TINY:
        try:
            hold = [_prove(each, *TINY_CASES[each]) for each in ([name] if name else PROOFS)]
        finally:
            _server().close()
        return 0 if all(hold) else 1
    return 0 if _prove(name, *map(int, numbers)) else 1


def _prove(name: str, *numbers: int) -> bool:
    """Run one proof, print and note what it saw; whether it holds."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        text, holds = PROOFS[name](Path(folder), *numbers)
    minutes = (time.monotonic() - started) / 60
    print(name, text, "holds" if holds else "DOES NOT HOLD", flush=True)
    if not TINY:
        _write(name, f"`make proof-{name}`, {minutes:.0f} min: {text} **{'Holds' if holds else 'DOES NOT HOLD'}.**")
    return holds


def _write(name: str, text: str) -> None:
    """Put the text below its heading."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    sections = dict(re.findall(r"^## (\S+)\n\n(.*?)(?=\n## |\Z)", page, re.S | re.M))
    sections[name] = text + "\n"
    order = [each for each in (*PROOFS, *sections) if each in sections]
    body = "\n".join(f"## {each}\n\n{sections[each].strip()}\n" for each in dict.fromkeys(order))
    PAGE.write_text(f"{HEAD}\n{body}", encoding="utf-8")


# One process


def place(folder: Path, n_rows: int = N_ROWS, config: Mapping[str, Any] = CONFIG) -> Path:
    """A folder with the table and the config."""
    sys.path.insert(0, str(ROOT / "tests"))
    import tables
    import yaml

    folder.mkdir(parents=True, exist_ok=True)
    tables.write(tables.make_table(n_rows), folder / "t.csv")
    (folder / "c.yaml").write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
    return folder


def command(*arguments: object, killing: Sequence[object] = ()) -> list[str]:
    """A command line of bptrain, or one that kills itself."""
    begin = [str(KILLING), *map(str, killing)] if killing else ["-m", "bptrain"]
    return [sys.executable, *begin, *map(str, arguments)]


def start(folder: Path, arguments: list[str], **options: Any) -> Process:
    """Begin a command in a folder, with the code of this repository; with `--tiny` forked where that is as good."""
    if TINY and not options:
        return _server().start(arguments[1:], cwd=folder)
    variables = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("variables", {})
    return subprocess.Popen(
        arguments,
        cwd=folder,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        **{"preexec_fn": _heed} | options,
    )


@cache
def _server() -> Any:
    """Where processes are forked from; it ends with this process."""
    sys.path.insert(0, str(ROOT / "tests"))
    from forking import Server

    return Server()


def _heed() -> None:
    """Let SIGINT reach a process, which shells keep from what they start in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process: Process) -> int:
    """Its exit code; shows what it said if that is not as expected from a fit."""
    _, said = process.communicate(timeout=900)
    if process.returncode not in {0, -signal.SIGKILL, 130, 143, 8}:
        print(process.returncode, said[-2000:])
    return process.returncode


def fit(folder: Path, run: str = "run", *more: object, **options: Any) -> int:
    """Train in a folder, going on if there is something to go on from."""
    return ended(folder, command("fit", "c.yaml", "--run", run, "--resume", "-q", *more), **options)


def ended(folder: Path, command_line: list[str], **options: Any) -> int:
    """The exit code of a command that nothing is done to; with `--tiny` it runs in this process."""
    if TINY and not options:
        done = run_process(command_line, cwd=folder)
        if done.returncode not in {0, 3}:
            print(done.returncode, done.stderr[-2000:])
        return done.returncode
    return finish(start(folder, command_line, **options))


def results(run: Path) -> str:
    """The digests of a run, and of every other file that may not differ."""
    lock = json.loads((run / "lock.json").read_bytes())
    manifest = json.loads((run / "MANIFEST.json").read_bytes())["files"]
    same = {name: entry["sha256"] for name, entry in manifest.items() if name not in {"timing.json", "lock.json"}}
    return json.dumps([lock["results"], lock["training"], same], sort_keys=True)


def require(holds: bool) -> None:
    """End the proof when a step of it that must succeed did not."""
    if not holds:
        raise RuntimeError("a fit of the proof failed; what it said is above")


def at_once(work: Callable[[int], Any], how_many: int) -> list[Any]:
    """The results of `work` for numbers from 0, a few at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, range(how_many)))


def expected(folder: Path, config: Mapping[str, Any] = CONFIG) -> tuple[str, float]:
    """The results without an interruption, and the seconds that takes."""
    place(folder, config=config)
    if not TINY:
        require(fit(folder, "warm") == 0)
    started = time.monotonic()
    require(fit(folder) == 0)
    return results(folder / "run"), time.monotonic() - started


# The proofs


def repeat(folder: Path, how_many: int = 50) -> Proof:
    """Fits in fresh processes under all that may not matter."""
    place(folder / "table")

    def once(number: int) -> str:
        draw = random.Random(number)
        cores = draw.choice([{0}, {1}, {0, 1}])
        variables = {
            "PYTHONHASHSEED": str(draw.randrange(2**32)),
            "TZ": draw.choice(["UTC", "Asia/Kolkata", "America/St_Johns"]),
            "LC_ALL": draw.choice(["C", "C.UTF-8", "POSIX", "de_DE.UTF-8"]),
            "OMP_NUM_THREADS": draw.choice(["1", "7"]),
            "TF_ENABLE_ONEDNN_OPTS": draw.choice(["0", "1"]),
        }
        elsewhere = folder / f"elsewhere-{number}"
        elsewhere.mkdir()
        arguments = command(
            "fit", folder / "table" / "c.yaml", "--root", folder / "table", "--run", f"run-{number}", "-q"
        )

        def prepare() -> None:
            os.sched_setaffinity(0, cores)
            os.umask(draw.choice([0o022, 0o077, 0o000]))

        with background(draw.choice([0, 0, 2])):
            require(finish(start(elsewhere, arguments, variables=variables, preexec_fn=prepare)) == 0)
        return results(elsewhere / f"run-{number}")

    found = Counter(at_once(once, how_many))
    text = (
        f"{how_many} fits of an MLP with dropout and batch normalisation in fresh processes, with varied hash seed, "
        f"time zone, locale, folder, umask, cores (1 or 2) and load: {len(found)} set of digests of weights, metrics, "
        "predictions and all files but timing.json."
    )
    return text, len(found) == 1


@contextmanager
def background(how_many: int) -> Iterator[None]:
    """Other processes that keep the cores busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(how_many)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def kill(folder: Path, how_many: int = 200) -> Proof:
    """Kills at random moments and inside writes, each followed by a fit that goes on."""
    killed, most, same = _killed(folder, CONFIG, how_many, most=1 if TINY else 10)
    text = (
        f"{killed} kill -9 in {how_many} runs, half of them in the middle of a write or right after a rename, the "
        f"others at random moments, one run {most} times in a row; each went on and ended with the digests "
        f"of the uninterrupted run: {same}/{how_many}."
    )
    return text, same == how_many


def presets(folder: Path, repeats: int = 10, kills: int = 50) -> Proof:
    """Repeats and kills with every preset at its full size."""
    told, holds = [], True
    for preset in ("fast",) if TINY else ("strong", "fast", "ensemble", "mlp"):
        model = {"kind": preset, "members": 2, "hidden": [8]} if TINY else preset
        config = CONFIG | {"model": model, "training": CONFIG["training"] | {"epochs": 3}}
        here = folder / preset
        place(here, config=config)

        def once(number: int, here: Path = here) -> str:
            require(fit(here, f"run-{number}") == 0)
            found = results(here / f"run-{number}")
            shutil.rmtree(here / f"run-{number}")
            return found

        different = len(set(at_once(once, repeats)))
        killed, _, same = _killed(folder / f"{preset}-killed", config, kills, most=1 if TINY else 3)
        told.append(f"{preset}: {repeats} fits, {different} set of digests; {killed} kills, {same}/{kills} as without")
        print(told[-1], flush=True)
        holds = holds and different == 1 and same == kills
    return f"2000 rows, 3 epochs. {'; '.join(told)}.", holds


def _killed(folder: Path, config: Mapping[str, Any], how_many: int, *, most: int) -> tuple[int, int, int]:
    """How many kills there were, how many of them in one run, and how many runs ended as without."""
    wanted, seconds = expected(folder / "expected", config)

    def once(number: int) -> tuple[bool, int]:
        draw, here = random.Random(number), place(folder / f"case-{number}", config=config)
        kills, seen, latest = most if number == 0 else 1, 0, 1.0
        while seen < kills:
            if number % 2 == 0:  # ten times in a row: early in each attempt, so that no one comes to the end
                where = (draw.randrange(1, 6 if kills > 1 else 2 + int(45 * latest)), draw.choice(["half", "after"]))
                code = finish(start(here, command("fit", "c.yaml", "--run", "run", "--resume", "-q", killing=where)))
            else:
                code = _interrupted(here, signal.SIGKILL, draw.uniform(0.3, 0.9 * latest * seconds))[0]
            if code == 0:  # too late: once more, earlier
                latest /= 2
                shutil.rmtree(here)
                place(here, config=config)
                continue
            seen += 1
        ended = fit(here) if not (here / "run").exists() else 0
        same = ended == 0 and results(here / "run") == wanted
        shutil.rmtree(here)
        return same, seen

    found = at_once(once, how_many)
    return sum(seen for _, seen in found), found[0][1], sum(ok for ok, _ in found)


def signals(folder: Path, how_many: int = 50) -> Proof:
    """SIGTERM and SIGINT at random moments, also while TensorFlow loads and compiles."""
    wanted, seconds = expected(folder / "expected")

    def once(number: int) -> tuple[bool, float, str]:
        draw, here = random.Random(number), place(folder / f"case-{number}")
        which = draw.choice([signal.SIGTERM, signal.SIGINT])
        code, took = _interrupted(here, which, draw.uniform(0.3, 0.8 * seconds))
        right = code in {0, 128 + which}
        went_on = fit(here)
        same = went_on == 0 and results(here / "run") == wanted
        shutil.rmtree(here)
        return right and same, took, str(code)

    found = at_once(once, how_many)
    codes = Counter(code for _, _, code in found)
    slowest = max(took for _, took, _ in found)
    good = sum(ok for ok, _, _ in found)
    text = (
        f"{how_many} signals at random moments, import and compilation included: right exit code and exact resume in "
        f"{good}/{how_many}; ended after at most {slowest:.1f} s; exit codes {dict(sorted(codes.items()))}."
    )
    return text, good == how_many and (TINY or slowest <= 5)


def _interrupted(folder: Path, number: int, after: float) -> tuple[int, float]:
    """The exit code of a fit that gets a signal after so many seconds, and how long it took to end."""
    process = start(folder, command("fit", "c.yaml", "--run", "run", "--resume", "-q"))
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    sent = time.monotonic()
    return finish(process), time.monotonic() - sent


def starts(folder: Path, how_many: int = 20) -> Proof:
    """Many processes that want to build one run."""
    place(folder)
    arguments = command("fit", "c.yaml", "--run", "run", "-q")
    codes = Counter(map(finish, [start(folder, arguments) for _ in range(how_many)]))
    text = f"{how_many} simultaneous starts with one `--run DIR`: exit codes {dict(sorted(codes.items()))}."
    return text, codes == {0: 1, 8: how_many - 1}


def tamper(folder: Path, how_many: int = 1000) -> Proof:
    """Changed, cut, swapped, added, removed and linked files, which no command may use."""
    place(folder)
    require(fit(folder) == 0)
    run, draw = folder / "run", random.Random(0)
    from bptrain.cli import main as cli

    names = sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())
    kinds: Counter[str] = Counter()
    missed = []
    for number in range(how_many):
        kind = draw.choice(["bit"] * 6 + ["cut", "swap", "add", "remove", "link"])
        copy = folder / "copy"
        shutil.copytree(run, copy)
        name = _spoil(copy, names, kind, draw)
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            said, sys.stdout, sys.stderr = (sys.stdout, sys.stderr), nowhere, nowhere
            code = cli.run([draw.choice(["inspect", "evaluate", "reproduce"]), str(copy)])
            sys.stdout, sys.stderr = said
        kinds[kind] += 1
        if code != 5:
            missed.append((number, kind, name, code))
        shutil.rmtree(copy)
    text = f"{how_many} changes of a run directory ({dict(kinds)}), each then opened by a command: exit 5 in "
    return text + f"{how_many - len(missed)}/{how_many}{f'; not in {missed[:5]}' if missed else ''}.", not missed


def _spoil(run: Path, names: Sequence[str], kind: str, draw: random.Random) -> str:
    """Change one thing in a run directory."""
    name, other = draw.sample(list(names), 2)
    path = run / name
    data = bytearray(path.read_bytes())
    match kind:
        case "bit":
            place = draw.randrange(len(data) * 8)
            data[place // 8] ^= 1 << place % 8
            path.write_bytes(data)
        case "cut":
            path.write_bytes(data[: draw.randrange(len(data))])
        case "swap":
            path.write_bytes((run / other).read_bytes())
            (run / other).write_bytes(data)
        case "add":
            (run / draw.choice(["", "model/"]) / f"x{draw.randrange(1000)}").write_bytes(b"")
        case "remove":
            path.unlink()
        case "link":
            path.rename(run.parent / "linked")
            path.symlink_to(run.parent / "linked")
    return name


def cores(folder: Path) -> Proof:
    """Every optimizer with every schedule, on one core and on two; JAX with one thread; the streaming residence."""
    place(folder, 600)
    found = {}
    backends = {"tensorflow": "one"} if TINY else {"tensorflow": "all", "jax": "ten"}
    for backend, which in backends.items():
        for number, its_cores in enumerate(({0}, {0, 1})):
            process = start(
                folder,
                [sys.executable, __file__, "--trainings", which, f"{backend}-{number}.json"],
                variables={"KERAS_BACKEND": backend},
                preexec_fn=lambda its_cores=its_cores: os.sched_setaffinity(0, its_cores),
            )
            require(finish(process) == 0)
            found[backend, number] = json.loads((folder / f"{backend}-{number}.json").read_text())
    same = {
        backend: sum(found[backend, 0][name] == found[backend, 1][name] for name in found[backend, 0])
        for backend in backends
    }
    distinct = len(set(found["tensorflow", 0].values()))
    n = {backend: len(found[backend, 0]) for backend in same}
    text = (
        f"every optimizer with every schedule, in memory and streamed, two threads, on one core and on two: the same "
        f"weights, metrics and predictions in {same['tensorflow']}/{n['tensorflow']} pairs ({distinct} distinct); on "
        f"JAX with one thread in {same.get('jax')}/{n.get('jax')}."
    )
    return text, same == n


def _trainings(arguments: Sequence[str]) -> int:
    """In a process of its own: the digests of many trainings, by name, into a file."""
    which, target = arguments
    from typing import get_args

    import bptrain
    from bptrain.training.options import OptimizerOptions, ScheduleOptions

    def kinds(union: Any) -> list[str]:
        return [variant.model_fields["kind"].default for variant in get_args(get_args(union)[0])]

    pairs = [(one, other) for one in kinds(OptimizerOptions) for other in kinds(ScheduleOptions)]
    residences = ["memory", "stream"]
    if which != "all":
        pairs, residences = random.Random(0).sample(pairs, {"one": 1, "ten": 10}[which]), ["memory"]
    found = {}
    for optimizer, schedule in pairs:
        for residence in residences:
            training = {"optimizer": optimizer, "schedule": schedule, "epochs": 3, "batch_size": 32}
            training |= {"engine": "compiled", "threads": 1 if which == "ten" else 2}
            config = CONFIG | {"data": {"train": "t.csv", "residence": residence}, "training": training}
            name = f"{optimizer}-{schedule}-{residence}"
            run = bptrain.fit(config, run=f"{Path(target).stem}-{name}")
            found[name] = json.dumps(run.lock["results"])
    Path(target).write_text(json.dumps(found), encoding="utf-8")
    return 0


def causes(folder: Path) -> Proof:
    """Single changes that `reproduce` or `--locked` must name; each in a folder with a run of its own."""
    place(folder / "made")
    require(fit(folder / "made") == 0)
    changes = list(CHANGES.items())[:: len(CHANGES) // 2 if TINY else 1]
    told = [_told(folder, *case) for case in changes]
    wrong = [name for name, named in told if not named]
    text = f"{len(told)} planted single changes ({', '.join(name for name, _ in told)}): named in "
    return text + f"{len(told) - len(wrong)}/{len(told)}{f', not {wrong}' if wrong else ''}.", not wrong


def _told(folder: Path, name: str, change: tuple[Callable[[Path], Any], str]) -> tuple[str, bool]:
    """Make one change to a copy, and see whether what `reproduce` says names it."""
    here = folder / "case"
    shutil.copytree(folder / "made", here)
    plant, expected_text = change
    more = plant(here) or {}
    words = command("reproduce", "run", "-q", "--seeds", "1")
    done = run_process(words, cwd=here, variables=more)
    shutil.rmtree(here)
    said = done.stdout + done.stderr
    if expected_text not in said:
        print(name, done.returncode, said[-600:])
    return name, expected_text in said


def _sealed(file: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    """Change a file of the run and seal it again."""

    def plant(here: Path) -> None:
        from bptrain.runs import manifest

        path = here / "run" / file
        before = path.read_text(encoding="utf-8")
        path.write_text(change(before), encoding="utf-8")
        require(path.read_text(encoding="utf-8") != before)
        (here / "run/MANIFEST.json").unlink()
        manifest.write_manifest(here / "run")

    return plant


def _setting(before: str, after: str) -> Callable[[Path], None]:
    return _sealed("config.yaml", lambda text: text.replace(before, after, 1))


def _record(*keys: str, value: Any) -> Callable[[Path], None]:
    """Let the lock tell of another environment."""

    def change(text: str) -> str:
        content = json.loads(text)
        part = content
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = value
        return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False) + "\n"

    return _sealed("lock.json", change)


def _table(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    """Change the lines of the table; the first is the header."""

    def plant(here: Path) -> None:
        lines = (here / "t.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        (here / "t.csv").write_text("".join(change(lines)), encoding="utf-8")

    return plant


CHANGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "batch size": (_setting("batch_size: 32", "batch_size: 64"), "`training.batch_size`: 64, was 32"),
    "epochs": (_setting("epochs: 8", "epochs: 9"), "`training.epochs`: 9, was 8"),
    "seed": (_setting("seed: 0", "seed: 1"), "`seed`: 1, was 0"),
    "dropout": (_setting("dropout: 0.2", "dropout: 0.3"), "`model.dropout`: 0.3, was 0.2"),
    "threads": (_setting("threads: 2", "threads: 1"), "`training.threads`: 1, was 2"),
    "learning rate": (_setting("learning_rate: 0.001", "learning_rate: 0.002"), "`training.optimizer.learning_rate`"),
    "share of test rows": (_setting("test: 0.2", "test: 0.3"), "`split.test`: 0.3, was 0.2"),
    "kind of a column": (_setting("normalization: batch", "normalization: layer"), "`model.normalization`"),
    "a digit of a cell": (
        _table(lambda lines: [lines[0], re.sub(r"[1-8]", lambda m: str(int(m[0]) + 1), lines[1], count=1), *lines[2:]]),
        "the content of `t.csv`",
    ),
    "order of rows": (_table(lambda lines: [lines[0], lines[2], lines[1], *lines[3:]]), "the order of the rows"),
    "a row less": (_table(lambda lines: lines[:-1]), "the number of rows"),
    "a row twice": (_table(lambda lines: [*lines, lines[-1]]), "the number of rows"),
    "version of keras": (_record("versions", "keras", value="3.14.0"), "the version of keras"),
    "version of TensorFlow": (_record("versions", "tensorflow", value="2.20.0"), "the version of tensorflow"),
    "version of numpy": (_record("versions", "numpy", value="2.0.0"), "the version of numpy"),
    "version of bptrain": (_record("versions", "bptrain", value="0.0.9"), "the version of bptrain"),
    "Python": (_record("python", value="3.12.9"), "python: "),
    "system": (_record("system", value="Darwin arm64"), "system: "),
    "instructions": (_record("instructions", value=""), "instructions: "),
    "a variable": (lambda _: {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}, "the variable XLA_FLAGS"),
    "backend": (lambda _: {"KERAS_BACKEND": "jax"}, "backend: jax, was tensorflow"),
}


def cost(folder: Path, how_many: int = 5) -> Proof:
    """The time of training with checkpoints at their default and without, in turn; and that of one checkpoint."""
    texts, worst = [], 0.0
    for name in ("california",) if TINY else ("adult", "california"):
        seconds: dict[str, list[float]] = {"null": [], "1": []}
        for number in range(how_many):
            for minutes, found in seconds.items():
                run = folder / f"{name}-{minutes}-{number}"
                config = f"configs/{name}.yaml"
                chosen = settings(f"training.checkpoints.minutes={minutes}", *SMALL)
                require(ended(ROOT, command("fit", config, *chosen, "--run", run, "-q")) in {0, 3})
                found.append(json.loads((run / "timing.json").read_text())["seconds"]["train"])
        middle = {minutes: sorted(found)[how_many // 2] for minutes, found in seconds.items()}
        share = _seconds_of_one(folder, name) / 60
        worst = max(worst, share)
        texts.append(
            f"{name}: training {middle['null']:.2f} s without and {middle['1']:.2f} s with the default (every minute), "
            f"one checkpoint {60000 * share:.0f} ms, {100 * share:.2f} % of a minute"
        )
    return f"medians of {how_many}: {'; '.join(texts)}.", TINY or worst <= 0.03


def _seconds_of_one(folder: Path, name: str) -> float:
    """What saving takes, from a training that is saved after every epoch."""
    program = (
        "import sys, time; from bptrain.cli import main; from bptrain.runs.checkpoints import Checkpoints\n"
        "def timed(self, *given):\n"
        "    started = time.perf_counter(); save(self, *given); took.append(time.perf_counter() - started)\n"
        "took, save = [], Checkpoints.save; Checkpoints.save = timed; code = main.run(sys.argv[2:])\n"
        "open(sys.argv[1], 'w').write(str(sorted(took)[len(took) // 2]))"
    )
    target = folder / f"{name}.txt"
    chosen = settings(*SMALL, "training.checkpoints.epochs=1", f"training.epochs={3 if TINY else 10}")
    words = [target, "fit", f"configs/{name}.yaml", *chosen, "--run", folder / name, "-q"]
    require(finish(start(ROOT, [sys.executable, "-c", program, *map(str, words)])) == 0)
    return float(target.read_text())


PROOFS: dict[str, Callable[..., Proof]] = {
    "repeat": repeat,
    "cores": cores,
    "kill": kill,
    "presets": presets,
    "signals": signals,
    "starts": starts,
    "tamper": tamper,
    "causes": causes,
    "cost": cost,
}

TINY_CASES: dict[str, tuple[int, ...]] = {  # how many of each with `--tiny`
    "repeat": (1,),
    "cores": (),
    "kill": (1,),
    "presets": (1, 1),
    "signals": (1,),
    "starts": (2,),
    "tamper": (5,),
    "causes": (),
    "cost": (1,),
}

if __name__ == "__main__":
    raise SystemExit(main())
