"""The description of the link: what stands in it is what the wire has always been, and what is wrong in it is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecgseg.errors import BuildError
from ecgseg.link import numbers
from ecgseg.link.definitions import Word, read_calls
from ecgseg.link.description import description
from ecgseg.link.error_table import error_table

# Version 1 of the protocol: number, smallest and largest payload of every request. Devices in the field know no other.
REQUESTS = {
    "HELLO": (0x01, 4, 4),
    "RESET_STREAM": (0x02, 0, 0),
    "PUSH": (0x03, 6, 1024),
    "FRAME": (0x04, 0, 0),
    "READ": (0x05, 7, 7),
    "WRITE": (0x06, 5, 1024),
    "INFER": (0x07, 0, 0),
    "TRACE": (0x08, 2, 2),
    "LAYER": (0x09, 2, 2),
    "STATS": (0x0A, 0, 0),
    "BENCH": (0x0B, 5, 5),
    "SET_BAUD": (0x0C, 4, 4),
    "SET_CLOCK": (0x0D, 4, 4),
    "RESTART": (0x0E, 0, 0),
    "START": (0x0F, 1, 1),
    "FEED": (0x10, 14, 1024),
    "EVENTS": (0x11, 6, 6),
    "CLASSES": (0x12, 6, 6),
    "GAP": (0x13, 9, 9),
    "FINISH": (0x14, 4, 4),
}
# Bytes that every answer has at least: of a text its length, of a rest one unit.
ANSWERS = {
    "HELLO": 163,
    "RESET_STREAM": 0,
    "PUSH": 9,
    "FRAME": 24,
    "READ": 1,
    "WRITE": 4,
    "INFER": 4,
    "TRACE": 8,
    "LAYER": 13,
    "STATS": 60,
    "BENCH": 8,
    "SET_BAUD": 0,
    "SET_CLOCK": 8,
    "RESTART": 0,
    "START": 18,
    "FEED": 17,
    "EVENTS": 10,
    "CLASSES": 10,
    "GAP": 12,
    "FINISH": 8,
}


def described(folder: Path, text: str) -> Path:
    path = folder / "messages.def"
    path.write_text(text, encoding="utf-8")
    return path


def test_requests_and_answers_are_those_of_version_1() -> None:
    messages = description().messages
    assert {m.name: (m.number, m.smallest, m.largest) for m in messages.values()} == REQUESTS
    assert {name: sum(field.least for field in m.answer) for name, m in messages.items()} == ANSWERS


def test_numbers_are_those_of_version_1() -> None:
    assert (numbers.PROTOCOL_VERSION, numbers.PAYLOAD_MAX, numbers.ANSWER_BIT, numbers.CRC_BYTES) == (1, 1024, 0x80, 4)
    assert (numbers.REQUEST_HEADER_BYTES, numbers.ANSWER_HEADER_BYTES, numbers.SEGMENT_BYTES) == (4, 6, 5)
    assert (numbers.DEFAULT_BAUD, numbers.LOWEST_BAUD) == (115200, 9600)
    assert [kind.name for kind in numbers.ReadKind] == ["INPUT", "SCORES", "MASK", "SEGMENTS", "TRACE"]
    assert [kind.name for kind in numbers.BenchKind] == ["PREPROCESS", "INFERENCE", "LAYERS"]
    assert [base.name for base in numbers.TimeBase] == ["INSTRUCTIONS", "CYCLES", "TICKS"]
    assert [list(kinds) for kinds in (numbers.ReadKind, numbers.BenchKind, numbers.TimeBase)] == [
        [0, 1, 2, 3, 4],
        [0, 1, 2],
        [0, 1, 2],
    ]
    assert numbers.PushFlags.FRAME_READY == 1


def test_numbers_in_texts_are_those_of_the_constants() -> None:
    messages = description().messages
    assert messages["HELLO"].answer[0].meaning == "1"
    assert messages["SET_BAUD"].request[0].meaning == "9600 to max_baud"
    assert "{" not in "".join(field.meaning for m in messages.values() for field in (*m.request, *m.answer))


def test_calls_are_read_as_c_reads_them(tmp_path: Path) -> None:
    path = described(
        tmp_path,
        "/* A comment,\n with NOT_A(call) */\n#define A(x) \\\n  IGNORED(x)\n"
        'A(0x1F, NAME,\n  "one " /* between */ "two",\n  B(1) B(2))\n',
    )
    (call,) = read_calls(path)
    assert (call.macro, call.place.line) == ("A", 5)
    assert (call.number(0), call.word(1), call.text(2)) == (31, "NAME", "one two")
    assert isinstance(call.arguments[1], Word)
    assert [(inner.number(0), inner.place.line) for inner in call.calls(3, "B")] == [(1, 7), (2, 7)]


FIELD = 'FIELD(a, u8, "x")'
ENUM = 'ECGSEG_LINK_ENUM(kinds, "x", VALUE(K, A, 0, "x"))\n'


def command(request: str, answer: str = "ANSWER(NOTHING)", head: str = '1, GO, go, "x"') -> str:
    return f"ECGSEG_LINK_COMMAND({head},\n{request},\n{answer})\n"


# What is wrong, the line that has to be named, and a word of the explanation.
MALFORMED = {
    "no call": ("NAME\n", 2, "'\\('"),
    "open call": ('\nECGSEG_LINK_CONSTANT(A, 1, "x"\n', 3, "end of the file"),
    "open text": ('\n\nECGSEG_LINK_CONSTANT(A, 1, "x)\n', 3, "no name"),
    "backslash in a text": ('ECGSEG_LINK_CONSTANT(A, 1, "\\n")\n', 1, "no name"),
    "octal number": ('ECGSEG_LINK_CONSTANT(A, 010, "x")\n', 1, "no name"),
    "name after a call": ('ECGSEG_LINK_RECORD(R, "x", FIELD(a, u8, "x") NOTHING)\n', 1, "'\\('"),
    "unknown entry": ("\nECGSEG_LINK_THING(A)\n", 2, "ECGSEG_LINK_THING is none of"),
    "argument too few": ("ECGSEG_LINK_CONSTANT(A, 1)\n", 1, "3 arguments, not 2"),
    "text for a number": ('ECGSEG_LINK_CONSTANT(A, "1", "x")\n', 1, "Argument 2 .* a number"),
    "number for a name": ('ECGSEG_LINK_CONSTANT(7, 1, "x")\n', 1, "Argument 1 .* a name"),
    "name for a text": ("ECGSEG_LINK_CONSTANT(A, 1, x)\n", 1, "Argument 3 .* a text"),
    "number for entries": ('ECGSEG_LINK_ENUM(kinds, "x", 3)\n', 1, "Argument 3 .* VALUE"),
    "constant twice": ('ECGSEG_LINK_CONSTANT(A, 1, "x")\nECGSEG_LINK_CONSTANT(A, 2, "x")\n', 2, "A stands twice"),
    "unknown constant in a text": ('ECGSEG_LINK_CONSTANT(A, 1, "{B}")\n', 1, "no constant B"),
    "value twice": ('ECGSEG_LINK_ENUM(k, "x", VALUE(K, A, 0, "x")\nVALUE(K, B, 0, "x"))\n', 2, "0 stands twice"),
    "two prefixes": ('ECGSEG_LINK_ENUM(k, "x", VALUE(K, A, 0, "x") VALUE(L, B, 1, "x"))\n', 1, "one prefix"),
    "value too large": ('ECGSEG_LINK_FLAGS(k, "x",\nBIT(K, A, 8, "x"))\n', 2, "does not fit"),
    "record of any length": ('ECGSEG_LINK_RECORD(R, "x", FIELD(a, text, "x"))\n', 1, "varies"),
    "other name in small letters": (command("REQUEST(NOTHING)", head='1, GO, goes, "x"'), 1, "goes is not GO"),
    "number of an answer": (command("REQUEST(NOTHING)", head='0x81, GO, go, "x"'), 1, "not in 1..127"),
    "command twice": (command("REQUEST(NOTHING)") * 2, 4, "GO stands twice"),
    "number twice": (
        command("REQUEST(NOTHING)") + command("REQUEST(NOTHING)", head='1, GONE, gone, "x"'),
        4,
        "1 stands twice",
    ),
    "answer for request": (command("ANSWER(NOTHING)"), 2, "ANSWER stands where only REQUEST"),
    "field outside of a request": (command(FIELD), 2, "FIELD stands where only REQUEST"),
    "request twice": (command("REQUEST(NOTHING) REQUEST(NOTHING)"), 1, "REQUEST 2 times"),
    "unknown kind": (command('REQUEST(FIELD(a, u7, "x"))'), 2, "u7 is no kind"),
    "unknown choice": (command("REQUEST(CHOICE(a, kinds))"), 2, "no such CHOICE"),
    "bits of an enum": (ENUM + command("REQUEST(BITS(a, kinds))"), 3, "no such BITS"),
    "field twice": (command(f"REQUEST({FIELD}\n{FIELD})"), 3, "a stands twice"),
    "field behind the rest": (command(f'REQUEST(REST(r, u8, "x")\n{FIELD})'), 3, "all that is left"),
    "nothing beside a field": (command(f"REQUEST({FIELD})", f"ANSWER({FIELD} NOTHING())"), 3, "stands where"),
    "text in a request": (command('REQUEST(FIELD(a, text, "x"))'), 1, "only answers have"),
    "array in a request": (command('REQUEST(ARRAY(a, u32, 4, "x"))'), 1, "only answers have"),
    "rest without a limit": (command('REQUEST(REST(a, u8, "x"))'), 1, "no constant PAYLOAD_MAX"),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_fault_in_the_description_is_named_with_its_line(tmp_path: Path, fault: str) -> None:
    text, line, why = MALFORMED[fault]
    with pytest.raises(BuildError) as caught:
        description(described(tmp_path, text))
    assert f"messages.def, line {line}:" in caught.value.what
    assert re.search(why, caught.value.why), caught.value.why
    assert caught.value.remedy


@pytest.mark.parametrize(
    "bad",
    ['ECGSEG_LINK_ERROR(0, A, "x", "")', 'ECGSEG_LINK_ERROR(1, OK, "x", "")', 'ECGSEG_LINK_ERR(1, A, "x", "")'],
)
def test_a_fault_in_the_error_table_is_named_with_its_line(tmp_path: Path, bad: str) -> None:
    path = described(tmp_path, f'ECGSEG_LINK_ERROR(0, OK, "x", "")\n{bad}\n')
    with pytest.raises(BuildError, match="line 2:"):
        error_table(path)


def test_a_missing_description_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        description(tmp_path / "absent.def")
    assert caught.value.remedy
