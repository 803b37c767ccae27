#!/usr/bin/env bash
# Sets everything up: Debian's or Ubuntu's packages, .venv, pinned Python packages. Safe to run again, and quick then.
# Usage: [PYTHON=python3.12] tools/setup.sh [dev] [train] [peers] [parquet] [browser] [fuzz] [docs]
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=.venv
# Those of which tools/locks has the files (tools/lock.py).
SUPPORTED="3.11 3.12 3.13"

stop() {
    printf 'Error: %s\n  Why: %s\n  What to do: %s\n' "$1" "$2" "$3" >&2
    exit 5
}

# --- What is asked for -----------------------------------------------------------------------------------------------
wanted=" $* "
# One list of pinned packages for each extra; `base` and `build` are always installed.
known=$(cd tools/locks && printf '%s\n' *.txt | sed 's/\.txt$//' | grep -vx -e base -e build | tr '\n' ' ')
for extra in "$@"; do
    [[ " $known" == *" $extra "* ]] ||
        stop "There is no extra '$extra'." "Known: $(sed 's/ $//; s/ /, /g' <<<"$known")." \
            "Run: make setup EXTRAS=dev,train"
done

# --- Which Python ----------------------------------------------------------------------------------------------------
# Prints "3.11"; nothing where that is no Python that runs (a shim may name one that is not there).
version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

is_supported() {
    [[ -n $1 && " $SUPPORTED " == *" $1 "* ]]
}

# Sets `python` to the one that is asked for, the system's own or the newest, and `version`; to nothing without any.
find_python() {
    local candidates=(python3 python3.13 python3.12 python3.11)
    [[ -z ${PYTHON:-} ]] || candidates=("$PYTHON")
    for python in "${candidates[@]}"; do
        version=$(version_of "$python")
        if is_supported "$version"; then
            return
        fi
    done
    python= version=
}

# --- The system's packages -------------------------------------------------------------------------------------------
# Whether a compiler has a file of its libraries.
has() {
    [[ -e $("$1" "-print-file-name=$2" 2>/dev/null) ]]
}

# Whether Python has what pyEDFlib is built with, which has no wheel for it; not asked where that or another Python is.
has_headers() {
    [[ -x $VENV/bin/python && ! -d $VENV/lib/python3.13 || -d $VENV/lib/python3.13/site-packages/pyedflib ]] ||
        [[ -e $("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h ]]
}

# Sets `missing` to the packages that are not there.
find_missing() {
    missing=()
    if [[ -z $python ]]; then
        missing+=(python3 python3-venv)
    else
        if [[ ! -x $VENV/bin/python ]] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            missing+=("python$version-venv")
        fi
        if [[ $version == 3.13 && $(uname -m) == x86_64 ]] && ! has_headers; then
            missing+=("python$version-dev")
        fi
    fi
    if ! command -v gcc >/dev/null || { [[ $(uname) == Linux ]] && ! has gcc crt1.o; }; then
        missing+=(gcc libc6-dev)
    fi
    command -v arm-none-eabi-gcc >/dev/null || missing+=(gcc-arm-none-eabi)
    has arm-none-eabi-gcc libc_nano.a || missing+=(libnewlib-arm-none-eabi)
    command -v qemu-system-arm >/dev/null || missing+=(qemu-system-arm)
    if [[ $wanted == *" dev "* ]]; then
        # Tests build what `invoke export` writes as its users do.
        command -v g++ >/dev/null || missing+=(g++)
        command -v cmake >/dev/null || missing+=(cmake)
    fi
    if [[ $wanted == *" browser "* ]]; then
        # No part of `dev`: a minute longer on a machine that has nothing yet.
        command -v chromium >/dev/null || missing+=(chromium)
        command -v chromedriver >/dev/null || missing+=(chromium-driver)
    fi
    if [[ $wanted == *" fuzz "* ]]; then
        command -v clang >/dev/null || missing+=(clang)
        # Where the sanitizers and libFuzzer come in a package of their own.
        has clang "libclang_rt.fuzzer-$(uname -m).a" || missing+=(libclang-rt-dev)
    fi
}

install_missing() {
    command -v apt-get >/dev/null ||
        stop "These are not installed: ${missing[*]}." "This machine has no apt-get." "Install them and run make again."
    local as_root=""
    if ((EUID != 0)); then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null ||
            stop "These packages are not installed: ${missing[*]}." "Installing them needs root." \
                "Run: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
        as_root="sudo -n"
    fi
    echo "Installing ${missing[*]}"
    # env: sudo drops the variable otherwise.
    local apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0"
    if ! { $apt update && $apt install -y --no-install-recommends "${missing[@]}"; } </dev/null >&2; then
        stop "apt-get could not install ${missing[*]}." "Its own message is above." "Solve that and run make again."
    fi
}

find_python
if [[ -z $python ]]; then
    named=${PYTHON:-python3}
    found=$(version_of "$named")
    if [[ -n $found || -n ${PYTHON:-} ]]; then
        stop "$named ${found:+is Python $found, which }is not supported." \
            "Tested and pinned are ${SUPPORTED// /, }." "Install one of them and run: PYTHON=python3.12 make setup"
    fi
fi
# A Python that is asked for takes another one's place.
if [[ -n ${PYTHON:-} && -x $VENV/bin/python && $(version_of "$VENV/bin/python") != "$version" ]]; then
    rm -rf "$VENV"
fi
find_missing
if ((${#missing[@]})); then
    install_missing
    # Which Python the system has was perhaps not known before, nor what that needs.
    find_python
    [[ -n $python ]] || stop "This system's Python is $(version_of python3)." \
        "Tested and pinned are ${SUPPORTED// /, }." "Install one of them and run: PYTHON=python3.12 make setup"
    find_missing
    ((${#missing[@]} == 0)) || install_missing
fi

# --- Python packages -------------------------------------------------------------------------------------------------
# The stamp carries what was installed and from which lists; a stamp of more extras serves fewer.
sum=$(command -v sha256sum || echo "shasum -a 256")
lists=$(cat pyproject.toml tools/locks/*.txt tools/setup.sh tools/*.pth | $sum | cut -c1-16)
stamp=$VENV/ecgseg-setup
installed=" "
if [[ -f $stamp && $(head -n 1 "$stamp") == "$lists" ]]; then
    installed=" $(tail -n 1 "$stamp") "
fi
complete=$([[ $installed == " " ]] && echo no || echo yes)
for extra in "$@"; do
    [[ $installed == *" $extra "* ]] || complete=no
done
if [[ $complete == no ]]; then
    # What is there stays: setting up for the demo must not forget that the tests were set up before.
    extras=$(printf '%s\n' $installed $wanted | grep -v '^base$' | sort -u | xargs)
    # A virtual environment that was moved or half made does not run.
    "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$VENV"
    rm -f "$stamp"
    echo "Installing Python packages${extras:+ with ${extras// /,}} into $VENV"
    # Every package is in the lists with its hash, so nothing else is looked for: not even what builds one from source.
    pip=("$VENV/bin/python" -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation)
    locked=(--require-hashes -r tools/locks/base.txt)
    for extra in $extras; do
        locked+=(-r "tools/locks/$extra.txt")
    done
    if ! { "${pip[@]}" --require-hashes -r tools/locks/build.txt && "${pip[@]}" "${locked[@]}" && "${pip[@]}" -e . &&
        "$VENV/bin/python" -m pip --quiet --disable-pip-version-check check; } </dev/null; then
        stop "pip could not install the Python packages." "Its own message is above." \
            "Check the connection and the disk, and run make again; another hash is another file than was tested."
    fi
    # Signals are heard, and older results gone, a sixth of a second earlier than tasks.py could see to it.
    cp tools/ecgseg-beginning.pth "$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    printf '%s\nbase %s\n' "$lists" "$extras" >"$stamp"
fi
