#!/bin/sh
# Makes or refreshes the environment .venv from requirements.lock, with bptrain itself installed in place.
# Run by `make`, from the root of the project. An installation that was interrupted is started afresh.
set -eu

STAMP=.venv/.installed        # exists when .venv is complete; holds the folder it was made for
UNFINISHED=.venv/.unfinished  # exists while an environment of ours is being changed
PROBE='
import sys, venv
print("%d.%d.%d" % sys.version_info[:3])
sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else 3)
'

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Prints a command that is Python 3.11-3.13 and can make environments, or explains why there is none.
find_python() {
    found='' without_pip=''
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3; do
        if version=$("$candidate" -c "$PROBE" 2>/dev/null); then
            if "$candidate" -c 'import ensurepip' 2>/dev/null; then
                printf '%s' "$candidate"
                return
            fi
            without_pip="${without_pip:-$version}"
            found="$found, $candidate ($version, without ensurepip)"
        elif [ -n "$version" ]; then
            found="$found, $candidate ($version)"
        elif command -v "$candidate" >/dev/null 2>&1; then
            found="$found, $candidate (does not run)"
        elif [ "$candidate" = "${PYTHON:-}" ]; then
            found="$found, $candidate (not there)"
        fi
    done
    found="${found#, }"
    if [ -n "$without_pip" ]; then
        package="python${without_pip%.*}-venv"
        fail "error: Python $without_pip cannot make environments here because it has no ensurepip; found: $found." \
            "  On Debian and Ubuntu the package $package adds it: sudo apt install $package" \
            "  Or name another Python, 3.11, 3.12 or 3.13: make setup PYTHON=/path/to/python3.12"
    fi
    fail "error: bptrain needs Python 3.11, 3.12 or 3.13; found: ${found:-no Python at all}." \
        "  Install one, or name it: make setup PYTHON=/path/to/python3.12"
}

# Runs a command while printing a dot every few seconds.
with_dots() {
    (while sleep 5 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do printf '.' >&2; done) &
    dots=$!
    trap 'kill "$dots" 2>/dev/null; exit 130' INT
    trap 'kill "$dots" 2>/dev/null; exit 143' TERM
    status=0
    "$@" || status=$?
    kill "$dots" 2>/dev/null || true
    trap - INT TERM
    printf '\n' >&2
    return "$status"
}

pip_install() {
    .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check "$@"
}

# The marker goes last, so that removing may be interrupted, too.
remove_environment() {
    rm -rf .venv/[!.]*
    rm -rf .venv
}

if [ -e "$UNFINISHED" ]; then
    echo "The last installation was interrupted: starting .venv afresh." >&2
    remove_environment
elif [ -e "$STAMP" ] && [ "$(cat "$STAMP")" != "$(pwd -P)" ]; then
    echo "This folder was moved or copied: starting .venv afresh." >&2
    mv "$STAMP" "$UNFINISHED"
    remove_environment
fi

if [ ! -e .venv ]; then
    python=$(find_python)
    echo "Making .venv with $python ($("$python" -c 'import platform; print(platform.python_version())'))." >&2
    mkdir .venv
    : >"$UNFINISHED"
    "$python" -m venv .venv
    echo "Installing the packages of requirements.lock; once: TensorFlow is a download of about 570 MB, all of .venv takes 2.8 GB." >&2
else
    version=$(.venv/bin/python -c "$PROBE" 2>/dev/null) ||
        fail "error: bptrain needs Python 3.11, 3.12 or 3.13, but that of .venv ${version:+is }${version:-does not run}." \
            "  Remove it and run make again: rm -rf .venv"
    if [ -e "$STAMP" ]; then mv "$STAMP" "$UNFINISHED"; fi
    echo "Bringing .venv up to date with requirements.lock and pyproject.toml." >&2
fi

with_dots pip_install --require-hashes --only-binary=:all: --requirement requirements.lock ||
    fail "error: pip could not install requirements.lock; its message is above. make tries again and re-uses what was downloaded."
pip_install --no-deps --no-build-isolation --editable . ||
    fail "error: pip could not install bptrain itself; its message is above."

rm -f "$UNFINISHED"
pwd -P >"$STAMP"
