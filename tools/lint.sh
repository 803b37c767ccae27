#!/usr/bin/env bash
# The walls of the house: layout, style and types of Python and C, and that every board compiles without a warning.
# Usage: tools/lint.sh [STEP...]   (all steps when none is named; every step runs, also after one that failed)
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH PYTHONPATH=$PWD/host${PYTHONPATH:+:$PYTHONPATH}

STEPS=(files ruff mypy layers includes complexity clang-format cppcheck misra analyzer compilers stack symbols)

# Every text file follows .editorconfig; no file of code is longer than 400 lines.
files() { python tools/check_files.py; }

ruff() { command ruff check --quiet . && command ruff format --quiet --check .; }

mypy() { command mypy && MYPYPATH=tests command mypy --follow-imports=silent tasks.py tools/*.py; }

# A room of host/ecgseg imports only rooms below it (pyproject.toml).
layers() {
    local said
    said=$(lint-imports --no-logo --no-cache 2>&1) || { echo "$said" && return 1; }
}

# What each room of the firmware may include (firmware/README.md).
includes() {
    local said
    said=$(python -m pytest -q --no-header --tb=short -p no:cacheprovider tests/unit/test_firmware_walls.py \
        -k 'keeps_to_the_walls or every_folder' 2>&1) || { echo "$said" && return 1; }
}

# No function is longer than 50 lines or has more than 12 paths through it.
complexity() { lizard -C 12 -L 50 -w host tests tools firmware tasks.py; }

clang-format() {
    local sources
    mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.c' '*.h' '*.cc')
    command clang-format --dry-run -Werror "${sources[@]}"
}

# The rules of MISRA C:2012 that cppcheck's addon knows, in the portable C, but for those of tools/misra_deviations.txt.
misra() {
    install_cppcheck
    local part includes=()
    for part in engine/include pipeline/include link/include boards programs/app; do
        includes+=("-Ifirmware/$part")
    done
    command cppcheck --quiet --std=c11 --addon=misra --inline-suppr --error-exitcode=1 -j 2 \
        --suppressions-list=tools/misra_deviations.txt --suppress=missingIncludeSystem \
        "${includes[@]}" firmware/engine firmware/pipeline firmware/link firmware/programs/app
}

cppcheck() {
    install_cppcheck
    local folder includes=()
    for folder in firmware/*/ firmware/*/include/ firmware/boards/*/ firmware/backends/*/include/ \
        firmware/programs/*/; do
        includes+=("-I${folder%/}")
    done
    # Both compilers define >> of a negative number as arithmetic.
    command cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppress=shiftTooManyBitsSigned \
        "${includes[@]}" firmware
}

install_cppcheck() {
    type -P cppcheck >/dev/null && return
    if ((EUID == 0)); then
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends cppcheck </dev/null >&2
    else
        printf 'Error: cppcheck is not installed.\n  Why: It checks the C sources.\n  What to do: %s\n' \
            'Run: sudo apt-get install -y cppcheck' >&2
        exit 5
    fi
}

compilers() {
    local board boards
    boards=$(python -c 'from ecgseg.image.boards import BOARDS; print(*BOARDS)') || return
    for board in $boards; do
        invoke build --board "$board" >/dev/null || return
    done
}

# What gcc finds by following every way through the portable C.
analyzer() { python tools/analyse_c.py; }

# No way through the call graph takes more stack than the linker script sets aside.
stack() {
    local said
    said=$(python tools/stack_bound.py) || { echo "$said" && return 1; }
}

# No heap, no stdio, no libm: images take from libraries what tools/image_symbols.py allows.
symbols() { python tools/image_symbols.py; }

failed=()
for step in "${@:-${STEPS[@]}}"; do
    if [[ " ${STEPS[*]} " != *" $step "* ]]; then
        printf 'Error: There is no step %s.\n  What to do: Name any of: %s\n' "$step" "${STEPS[*]}" >&2
        exit 2
    fi
    echo "$step"
    "$step" || failed+=("$step")
done
if ((${#failed[@]})); then
    echo "Not clean: ${failed[*]}"
    exit 1
fi
echo "All clean."
