#!/usr/bin/env bash
# Re-makes requirements/lock.txt from pyproject.toml: make lock (ARGS=--upgrade takes the newest versions that fit).
# One lock for Python 3.11 and up on every platform; no hashes, no addresses, no torch (requirements/setup.sh installs it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

new=$(mktemp)
trap 'rm -f "$new"' EXIT
cp requirements/lock.txt "$new" # uv keeps the versions it finds here where they still fit
.venv/bin/uv pip compile pyproject.toml --extra cpu --extra dev --override requirements/overrides.txt --universal \
  --python-version 3.11 --no-annotate --no-header --quiet --output-file "$new" "$@"
grep -v -e "'never'" -e '^torch==' "$new" >requirements/lock.txt.new
mv requirements/lock.txt.new requirements/lock.txt
echo "requirements/lock.txt: $(grep -c == requirements/lock.txt) packages"
