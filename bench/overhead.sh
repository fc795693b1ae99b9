#!/bin/bash
# overhead.sh [ROUNDS] - builds, then shows what recording costs real programs; see overhead.py.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake/install-packages.sh build test
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
exec /usr/bin/python3 -B bench/overhead.py build/bin/loiter "$@"
