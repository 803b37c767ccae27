#!/usr/bin/env bash
# Style and types of Python; C through cppcheck and through both compilers with warnings as errors.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

if ! command -v cppcheck >/dev/null; then
    if ((EUID == 0)); then
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends cppcheck </dev/null >&2
    else
        printf 'Error: cppcheck is not installed.\n  Why: It checks the C sources.\n  What to do: %s\n' \
            'Run: sudo apt-get install -y cppcheck' >&2
        exit 5
    fi
fi

echo "ruff"
ruff check .
ruff format --check .
echo "mypy"
mypy
mypy tasks.py
echo "cppcheck"
includes=()
for folder in firmware/*/ firmware/*/include/ firmware/boards/*/ firmware/backends/*/include/ firmware/programs/*/; do
    includes+=("-I${folder%/}")
done
# The linker's symbols are one object each to cppcheck; both compilers define >> of a negative number as arithmetic.
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingIncludeSystem --suppress='comparePointers:firmware/boards/*/startup.c' \
    --suppress=shiftTooManyBitsSigned "${includes[@]}" firmware
echo "gcc, arm-none-eabi-gcc"
for board in host mps2_an386 apollo4p_evb; do
    invoke build --board "$board" >/dev/null
done
echo "All clean."
