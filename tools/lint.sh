#!/usr/bin/env bash
# The walls of the house: layout, style and types of Python and C, and that every board compiles without a warning.
# Usage: tools/lint.sh [STEP...]   (all steps when none is named; every step runs, also after one that failed)
# As many steps run at once as there are processors. What one says comes in one piece when it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH PYTHONPATH=$PWD/host${PYTHONPATH:+:$PYTHONPATH}

# The two that take longest come early, lest one of them runs alone at the end.
STEPS=(files ruff mypy misra layers includes complexity clang-format cppcheck analyzer compilers stack symbols)

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
    local part options=() rendered said
    rendered=$(rendered_headers) || return
    for part in engine/include pipeline/include link/include boards programs/app; do
        options+=("-Ifirmware/$part")
    done
    options+=("-I$rendered")
    if ! finds_a_fault; then
        # 2.17 hears its addon with the style checks alone, and takes what rendered C or another image calls for
        # called by one source, and a compiler's builtin for undeclared.
        options+=(--enable=style --suppress=misra-c2012-8.7 --suppress=misra-c2012-17.3)
        if ! finds_a_fault --enable=style; then
            echo "Error: $(command cppcheck --version) finds no fault of MISRA C:2012 where one is."
            echo "  What to do: install cppcheck 2.10 of Debian 12 or 2.17 of Debian 13."
            return 1
        fi
    fi
    # Without -j, whose processes lose findings.
    said=$(command cppcheck --quiet --std=c11 --addon=misra --inline-suppr \
        --template='{severity}: {file}:{line}: {message} [{id}]' \
        --suppressions-list=tools/misra_deviations.txt --suppress=missingIncludeSystem \
        "${options[@]}" firmware/engine firmware/pipeline firmware/link firmware/programs/app 2>&1) ||
        { echo "$said" && return 1; }
    # Other findings are the step cppcheck's, but a source that cannot be read is not checked.
    ! grep -E '\[(misra-c2012-.*|syntaxError|preprocessorErrorDirective|internal.*)\]$' <<<"$said"
}

# The folder of the headers that a model is rendered with: without them cppcheck passes over what includes them.
rendered_headers() {
    python -c 'from ecgseg.image.backends import generate; from ecgseg.models import find_model
print(generate(find_model()))'
}

# Whether the addon, with these options, finds one that is planted.
finds_a_fault() {
    local folder said
    folder=$(mktemp -d)
    printf 'int f(int x)\n{\nback:\n    goto back;\n}\n' >"$folder/planted.c"
    said=$(command cppcheck --quiet --std=c11 --addon=misra "$@" "$folder/planted.c" 2>&1) || true
    rm -r "$folder"
    [[ $said == *misra-c2012-15.1* ]]
}

cppcheck() {
    install_cppcheck
    local folder includes rendered
    rendered=$(rendered_headers) || return
    includes=("-I$rendered")
    for folder in firmware/*/ firmware/*/include/ firmware/boards/*/ firmware/backends/*/include/ \
        firmware/programs/*/; do
        includes+=("-I${folder%/}")
    done
    # Both compilers define >> of a negative number as arithmetic.
    command cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppress=shiftTooManyBitsSigned --suppress=normalCheckLevelMaxBranches \
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

# One step of those that run at once. A file of its name is left in the folder unless the step is clean.
if [[ ${1:-} == --into ]]; then
    touch "$2/$3"
    said=$("$3" 2>&1) && rm "$2/$3"
    printf '%s\n' "$3" ${said:+"$said"}
    exit
fi

steps=("${@:-${STEPS[@]}}")
for step in "${steps[@]}"; do
    if [[ " ${STEPS[*]} " != *" $step "* ]]; then
        printf 'Error: There is no step %s.\n  What to do: Name any of: %s\n' "$step" "${STEPS[*]}" >&2
        exit 2
    fi
done
if [[ " ${steps[*]} " =~ " cppcheck "|" misra " ]]; then
    # Two at once would be in each other's way; where it fails, the steps say so.
    (install_cppcheck) 2>/dev/null || true
fi
failed=$(mktemp -d)
trap 'rm -r "$failed"' EXIT
printf '%s\n' "${steps[@]}" | xargs -n 1 -P "$(nproc)" tools/lint.sh --into "$failed" || touch "$failed/unfinished"
if [[ -n $(ls "$failed") ]]; then
    echo "Not clean: $(cd "$failed" && echo *)"
    exit 1
fi
echo "All clean."
