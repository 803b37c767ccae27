#!/usr/bin/env bash
# Sets everything up: Debian packages, .venv, pinned Python packages. Safe to run again, and quick then.
# Usage: tools/setup.sh [dev] [train] [peers] [parquet] [browser] [fuzz]
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=.venv
PYTHON=${PYTHON:-python3.11}

stop() {
    printf 'Error: %s\n  Why: %s\n  What to do: %s\n' "$1" "$2" "$3" >&2
    exit 5
}

# --- What is asked for -----------------------------------------------------------------------------------------------
wanted=("$@")
# One list of pinned packages for each extra; `base` and `build` are always installed.
known=$(cd tools/locks && printf '%s\n' *.txt | sed 's/\.txt$//' | grep -vx -e base -e build | tr '\n' ' ')
for extra in "${wanted[@]}"; do
    [[ " $known" == *" $extra "* ]] ||
        stop "There is no extra '$extra'." "Known: $(sed 's/ $//; s/ /, /g' <<<"$known")." \
            "Run: make setup EXTRAS=dev,train"
done

# --- Debian packages -------------------------------------------------------------------------------------------------
missing=()
command -v "$PYTHON" >/dev/null || missing+=(python3.11)
if [[ ! -x $VENV/bin/python ]] && ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
    missing+=(python3.11-venv)
fi
if ! command -v gcc >/dev/null || ! [[ -e /usr/include/stdio.h ]]; then
    missing+=(gcc libc6-dev)
fi
command -v arm-none-eabi-gcc >/dev/null || missing+=(gcc-arm-none-eabi)
if ! [[ -e /usr/lib/arm-none-eabi/include/stdint.h || -e /usr/include/newlib/stdint.h ]]; then
    missing+=(libnewlib-arm-none-eabi)
fi
command -v qemu-system-arm >/dev/null || missing+=(qemu-system-arm)
if [[ " $* " == *" dev "* ]]; then
    # Tests build what `invoke export` writes as its users do.
    command -v g++ >/dev/null || missing+=(g++)
    command -v cmake >/dev/null || missing+=(cmake)
fi
if [[ " $* " == *" browser "* ]]; then
    # No part of `dev`: a minute longer on a machine that has nothing yet.
    command -v chromium >/dev/null || missing+=(chromium)
    command -v chromedriver >/dev/null || missing+=(chromium-driver)
fi
if [[ " $* " == *" fuzz "* ]]; then
    command -v clang >/dev/null || missing+=(clang)
    # Where the sanitizers and libFuzzer come in a package of their own.
    [[ -e $(clang "-print-file-name=libclang_rt.fuzzer-$(uname -m).a" 2>/dev/null) ]] || missing+=(libclang-rt-14-dev)
fi

if ((${#missing[@]})); then
    command -v apt-get >/dev/null ||
        stop "These are not installed: ${missing[*]}." "This machine has no apt-get." "Install them and run make again."
    if ((EUID == 0)); then
        as_root=()
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    else
        stop "These packages are not installed: ${missing[*]}." "Installing them needs root." \
            "Run: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
    fi
    echo "Installing ${missing[*]}"
    # env: sudo drops the variable otherwise.
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
    if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } </dev/null >&2; then
        stop "apt-get could not install ${missing[*]}." "Its own message is above." "Solve that and run make again."
    fi
fi

# --- Python packages -------------------------------------------------------------------------------------------------
# The stamp carries what was installed and from which lists; a stamp of more extras serves fewer.
lists=$(cat pyproject.toml tools/locks/*.txt tools/setup.sh tools/*.pth | sha256sum | cut -c1-16)
stamp=$VENV/ecgseg-setup
installed=" "
if [[ -f $stamp && $(head -n 1 "$stamp") == "$lists" ]]; then
    installed=" $(tail -n 1 "$stamp") "
fi
complete=$([[ $installed == " " ]] && echo no || echo yes)
for extra in "${wanted[@]}"; do
    [[ $installed == *" $extra "* ]] || complete=no
done
if [[ $complete == no ]]; then
    # What is there stays: setting up for the demo must not forget that the tests were set up before.
    read -ra extras <<<"$(printf '%s\n' $installed "${wanted[@]}" | grep -v '^base$' | sort -u | tr '\n' ' ')"
    # A virtual environment that was moved or half made does not run.
    "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || "$PYTHON" -m venv --clear "$VENV"
    rm -f "$stamp"
    selection=$(IFS=,; echo "${extras[*]}")
    echo "Installing Python packages${selection:+ with $selection} into $VENV"
    # Every package is in the lists with its hash, so nothing else is looked for: not even what builds one from source.
    pip=("$VENV/bin/python" -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation)
    locked=(--require-hashes -r tools/locks/base.txt)
    for extra in "${extras[@]}"; do
        locked+=(-r "tools/locks/$extra.txt")
    done
    if ! { "${pip[@]}" --require-hashes -r tools/locks/build.txt && "${pip[@]}" "${locked[@]}" && "${pip[@]}" -e . &&
        "$VENV/bin/python" -m pip --quiet --disable-pip-version-check check; } </dev/null; then
        stop "pip could not install the Python packages." "Its own message is above." \
            "Check the connection and the disk, and run make again; another hash is another file than was tested."
    fi
    # Signals are heard, and older results gone, a sixth of a second earlier than tasks.py could see to it.
    cp tools/ecgseg-beginning.pth "$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    printf '%s\nbase %s\n' "$lists" "${extras[*]}" >"$stamp"
fi
