#!/bin/sh
# The built wheel in a clean environment without development tools: fits a CSV outside the repository with a two-line
# config, HOME unset, a working directory that cannot be written, and with a hostile keras.json. Run by `make proof-wheel`.
set -eu

root=$(pwd -P)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

.venv/bin/python -m build --wheel --no-isolation --outdir "$work/dist" . >/dev/null
.venv/bin/python -m venv "$work/env"
# the wheel's own requirements, in the versions of the lock (hashes dropped: constraints may not have them)
sed -n 's/ *\\$//; /^[a-z0-9]/p' "$root/requirements.lock" >"$work/constraints.txt"
"$work/env/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: \
    --constraint "$work/constraints.txt" "$work"/dist/*.whl
for tool in pytest ruff mypy hypothesis; do
    if "$work/env/bin/python" -c "import $tool" 2>/dev/null; then
        echo "error: $tool is in the clean environment" >&2
        exit 1
    fi
done

mkdir -p "$work/place/home/.keras" "$work/out"
awk 'BEGIN {
    print "size,colour,price"
    for (i = 0; i < 300; i++) { size = i * 37 % 101; print size "," (i % 3 ? "red" : "blue") "," size / 7 + i % 3 }
}' >"$work/place/table.csv"
printf 'data: table.csv\ntarget: price\n' >"$work/place/job.yaml"
echo '{"floatx": "float16", "epsilon": 0.01, "backend": "jax"}' >"$work/place/home/.keras/keras.json"
chmod 555 "$work/place"

obey=''
if [ "$(id -u)" = 0 ]; then obey='setpriv --inh-caps=-all --bounding-set=-dac_override,-dac_read_search'; fi
cd "$work/place"
if $obey touch written 2>/dev/null; then
    echo "error: the working directory can be written" >&2
    exit 1
fi
$obey env -i PATH="$PATH" "$work/env/bin/bptrain" fit job.yaml --quiet --run "$work/out/plain"
$obey env -i PATH="$PATH" HOME="$work/place/home" "$work/env/bin/bptrain" fit job.yaml --quiet --run "$work/out/hostile"
cmp "$work/out/plain/lock.json" "$work/out/hostile/lock.json"
cmp "$work/out/plain/predictions.parquet" "$work/out/hostile/predictions.parquet"
"$work/env/bin/bptrain" inspect "$work/out/plain" | tail -n 6
echo "proof-wheel: passed"
