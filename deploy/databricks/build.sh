#!/usr/bin/env bash
# What the jobs of this folder install: Vereda's wheel, and the packages it was tested with.
#
#   deploy/databricks/build.sh /Volumes/medical/vereda/wheels [FOLDER]     FOLDER: dist/databricks
#
# Copy FOLDER to the volume before `databricks bundle deploy`. PYTHON names the interpreter that
# builds. The wheel holds what git tracks, from a copy: a build folder here would keep old modules.
set -euo pipefail
volume=${1:?the volume the cluster reads}
here=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mkdir -p "${2:-$here/dist/databricks}" && cd "${2:-$here/dist/databricks}" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

(cd "$here" && git ls-files -z | xargs -0 cp --parents --no-dereference --target-directory "$copy")
rm -f "$out"/vereda-*.whl
"${PYTHON:-python3}" -m pip wheel --quiet --disable-pip-version-check --no-deps \
    --no-build-isolation --wheel-dir "$out" "$copy"

sed -E 's/ \\$//; /--hash/d' "$here/locks/everything.txt" > "$out/constraints.txt"
cat > "$out/requirements.txt" <<REQUIREMENTS
-c $volume/constraints.txt
vereda[training] @ file://$volume/$(basename "$out"/vereda-*.whl)
REQUIREMENTS
