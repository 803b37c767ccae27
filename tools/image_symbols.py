"""What the firmware takes from libraries: nothing but what ALLOWED names, so no heap, no stdio, no libm.

    python tools/image_symbols.py

Looks at every image of tools/analysed_images.py: at the functions and objects of the linked program that none of its
own objects brought, and at what the portable objects (engine, pipeline, link and the rendered model) ask for. Prints
one line a symbol that is not allowed; the exit code is 1 when there is one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterator, Mapping

from analysed_images import Analysed, analysed_images

from ecgseg.errors import EcgsegError
from ecgseg.image.programs import ENGINE_PART, LINK_PART, PIPELINE_PART
from ecgseg.image.toolchain import output_of

# Of newlib: bytes that are moved and set. Of libgcc: arithmetic for which the core has no instruction.
ALLOWED = re.compile(
    r"mem(cpy|set|cmp|move)|strlen|__aeabi_(u?l2f|u?i2f|f(r?sub|add)|u?ldivmod|u?idiv(mod)?|[il]div0)"
    r"|__(add|sub)sf3|__float(un)?(di|si)sf|__udivmoddi4"
)
PORTABLE = (ENGINE_PART, PIPELINE_PART, LINK_PART)
# What is told of the usual ones.
KINDS = {
    "heap": r"_*(malloc|calloc|realloc|free|memalign|sbrk)(_r)?|_.*_r_heap|brk",
    "stdio": r"_*(v?[fsd]?[vn]?[fsn]?i?printf|v?f?s?scanf|f?puts|putchar|fopen|fwrite|fflush|write|read)(_r)?",
    "numbers from text": r"_*(strto[a-z]+|ato[a-z]+)(_r|_l)*",
    "libm": r"_*(ieee754_)?(sqrt|exp2?|log(2|10)?|pow|sin|cos|tan|tanh|lrint|rint|round|floor|ceil|fmod|fma)[fl]?",
}


def defined(listing: str) -> set[str]:
    """Names of the functions and objects in what nm prints."""
    entries = (line.split() for line in listing.splitlines())
    return {words[2] for words in entries if len(words) == 3 and words[1] in "TtWwRrDdBbVv"}


def asked_for(listing: str) -> set[str]:
    """Names that are not defined in what nm prints."""
    entries = (line.split() for line in listing.splitlines())
    return {words[1] for words in entries if len(words) == 2 and words[0] in "Uw"}


def fault(name: str) -> str:
    """What is wrong with a symbol of a library, empty when it is allowed."""
    if ALLOWED.fullmatch(name):
        return ""
    kind = next((kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, name)), "not in ALLOWED")
    return f"{name} ({kind})"


def faults(image: str, script: str, objects: Mapping[str, str], portable: Container[str]) -> Iterator[str]:
    """Lines that say what an image takes from a library and may not.

    Args:
        image: what nm prints of it.
        script: text of its linker script, whose marks are symbols too.
        objects: what nm prints of each object, by the name of its source.
        portable: names of the sources of portable objects.
    """
    own = set().union(*map(defined, objects.values())) | set(re.findall(r"\w+", script))
    for name in sorted(defined(image) - own):
        if said := fault(name):
            yield said
    for source, listing in objects.items():
        if source in portable:
            for name in sorted(asked_for(listing) - own):
                if said := fault(name):
                    yield f"{source} asks for {said}"


def faults_of_image(image: Analysed) -> list[str]:
    """One line a fault. Raises BuildError."""
    nm, script = image.plan.tool("nm"), image.plan.board.script
    listed = {
        source: output_of([nm, str(made)], f"The symbols of {source.name} cannot be read.")
        for source, made in zip(image.plan.sources, image.objects, strict=True)
    }
    folders = {*(part.source_dir for part in PORTABLE), image.plan.generated}
    found = faults(
        output_of([nm, str(image.elf)], "The image's symbols cannot be read."),
        script.read_text(encoding="utf-8") if script else "",
        {source.name: listing for source, listing in listed.items()},
        {source.name for source in listed if source.parent in folders},
    )
    return [f"{image}: {line}" for line in found]


def main() -> int:
    try:
        found = [line for image in analysed_images() for line in faults_of_image(image)]
    except EcgsegError as error:
        print(error)
        return 1
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
