#!/usr/bin/env bash
# Gradescope runs this once, when it builds the autograder's image. `kata ci gradescope` wrote this file; edit it as you like.
set -euo pipefail

# The pip requirements to install; add packs with your own katas. Wheels (*.whl) beside this file in the archive are
# always installed.
REQUIREMENTS=(drill-katas==@VERSION@)

source=${AUTOGRADER_ROOT:-/autograder}/source
tools=${AUTOGRADER_ROOT:-/opt}/kata

new_enough() { "$1" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=python3
if ! new_enough "$python"; then # Ubuntu 22.04 has 3.10 by default, and a package of 3.11
  apt-get update -qq
  python=
  for each in python3.13 python3.12 python3.11; do
    if DEBIAN_FRONTEND=noninteractive apt-get install -qq "$each" "$each-venv" >/dev/null 2>&1 && new_enough "$each"; then
      python=$each
      break
    fi
  done
  if [ -z "$python" ]; then
    echo "drill-katas needs Python 3.11 or later; choose a newer base image for this autograder" >&2
    exit 1
  fi
fi
"$python" -m venv "$tools"
shopt -s nullglob
"$tools/bin/pip" install --quiet "$source"/*.whl "${REQUIREMENTS[@]}"
