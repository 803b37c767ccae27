"""The process in which Python readers are fuzzed: `python -m ecgseg.fuzz.child KIND [LIBFUZZER ARGUMENT...]`.

It is a process of its own because atheris never comes back, counts the branches of modules only when they are imported
under its eyes, and because an input may exhaust memory, which is limited here.
"""

from __future__ import annotations

import hashlib
import resource
import sys
import traceback
from collections.abc import Callable

from ecgseg.fuzz.kinds import KINDS, Kind
from ecgseg.fuzz.mutate import change_json
from ecgseg.output import write_bytes, write_text

MEMORY_BYTES = 4 << 30
FOUND = "Ended badly: "
"""Opens the line that tells a finding's file."""


def reader(name: str) -> Callable[[bytes], None]:
    """What takes an input of a kind; whatever it raises is a finding."""
    if name == "client":
        from ecgseg.fuzz.conversation import client

        return client
    from ecgseg.fuzz import files

    read: Callable[[bytes], None] = getattr(files, name)
    return lambda data: files.answered(read, data)


class Keeper:
    """Runs inputs and keeps one of each way in which they end badly.

    Args:
        kind: of the inputs.
        read: takes one.
    """

    def __init__(self, kind: Kind, read: Callable[[bytes], None]) -> None:
        self._kind = kind
        self._read = read
        self._known: set[str] = set()

    def __call__(self, data: bytes) -> None:
        """Runs an input. The next one follows whatever becomes of it: a finding must not hide those behind it."""
        try:
            self._read(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._keep(data, error)

    def _keep(self, data: bytes, error: BaseException) -> None:
        way = signature(error)
        if way in self._known:
            return
        self._known.add(way)
        path = self._kind.findings / f"{type(error).__name__}-{hashlib.sha256(way.encode()).hexdigest()[:8]}"
        write_bytes(path, data)
        write_text(path.with_suffix(".txt"), "".join(traceback.format_exception(error)))
        print(f"{FOUND}{path}", file=sys.stderr, flush=True)


def signature(error: BaseException) -> str:
    """Tells one way of ending badly from another: what was raised, and the lines of this package that led there."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{frame.name}:{frame.line}" for frame in frames if "ecgseg" in frame.filename]
    return f"{type(error).__name__} {ours[-3:]}"


def main() -> None:
    """Fuzzes until libFuzzer's arguments say that it is enough."""
    import atheris

    kind = KINDS[sys.argv[1]]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with atheris.instrument_imports(include=list(kind.modules)):
        keeper = Keeper(kind, reader(kind.name))
    # Only where bytes changed at random would hardly ever be read to their end.
    how = {"custom_mutator": change_json} if kind.name == "config" else {}
    atheris.Setup([sys.argv[0], *sys.argv[2:]], keeper, **how)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
