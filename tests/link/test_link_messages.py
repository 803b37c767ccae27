"""The message tables: what is packed comes back, and what does not fit is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgseg.errors import BuildError, LinkError
from ecgseg.link import error_table as table_module
from ecgseg.link.description import Field
from ecgseg.link.error_table import error_entry, error_number, error_table
from ecgseg.link.messages import MESSAGES, pack, parse_answer, unpack

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "u8": st.integers(0, 2**8 - 1),
    "u16": st.integers(0, 2**16 - 1),
    "u32": st.integers(0, 2**32 - 1),
    "u64": st.integers(0, 2**64 - 1),
    "i32": st.integers(-(2**31), 2**31 - 1),
    "f32": st.floats(width=32, allow_nan=False),
    "u32[8]": st.tuples(*[st.integers(0, 2**32 - 1)] * 8),
    "u8[32]": st.binary(min_size=32, max_size=32),
    "text": st.text(max_size=60),
    "bytes": st.binary(max_size=200),
}
# On a busy machine drawing a whole HELLO is slow; what it takes is not what is tested.
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_LAYOUTS = [fields for message in MESSAGES for fields in (message.request, message.answer) if fields]


def values_of(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({field.name: _VALUES[field.kind] for field in fields})


@RELAXED
@given(st.data())
def test_every_message_comes_back_from_its_bytes(data: st.DataObject) -> None:
    fields = data.draw(st.sampled_from(_LAYOUTS))
    values = data.draw(values_of(fields))
    assert unpack(fields, pack(fields, values)) == values


@RELAXED
@given(st.data())
def test_a_cut_message_is_an_error_unless_its_end_is_free(data: st.DataObject) -> None:
    fields = data.draw(st.sampled_from([layout for layout in _LAYOUTS if layout[-1].kind != "bytes"]))
    payload = pack(fields, data.draw(values_of(fields)))
    with pytest.raises(LinkError):
        unpack(fields, payload[: data.draw(st.integers(0, len(payload) - 1))])
    with pytest.raises(LinkError):
        unpack(fields, payload + b"x")


@RELAXED
@given(st.sampled_from(_LAYOUTS), st.binary(max_size=400))
def test_any_bytes_are_a_message_or_a_link_error(fields: tuple[Field, ...], payload: bytes) -> None:
    try:
        values = unpack(fields, payload)
    except LinkError:
        return
    assert set(values) == {field.name for field in fields}


def test_a_request_is_not_taken_for_an_answer() -> None:
    assert parse_answer(bytes([1, 0x05, 0, 0, 0, 0])) is None
    assert parse_answer(bytes([1, 0x85, 0, 0, 0])) is None
    answer = parse_answer(bytes([1, 0x85, 2, 1, 7, 0, 9]))
    assert answer is not None
    assert (answer.command, answer.sequence, answer.error, answer.payload) == (5, 0x102, 7, b"\x09")


def test_every_error_says_what_it_means_and_what_to_do() -> None:
    table = error_table()
    assert list(table) == list(range(len(table)))
    assert table[0].name == "OK"
    for entry in table.values():
        assert entry.meaning.endswith(".")
        assert entry.number == 0 or entry.remedy.endswith(".")
        assert error_number(entry.name) == entry.number


def test_an_unknown_error_number_has_a_remedy_too() -> None:
    assert error_entry(9999).remedy
    with pytest.raises(KeyError):
        error_number("NO_SUCH_ERROR")


@pytest.mark.parametrize(
    "text",
    [
        'ECGSEG_LINK_ERROR(1, A, "a", "b")\nECGSEG_LINK_ERROR(1, B, "a", "b")\n',
        'ECGSEG_LINK_ERROR(1, A, "a")\n',
        'ECGSEG_LINK_ERROR(x, A, "a", "b")\n',
    ],
)
def test_a_damaged_error_table_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "errors.def"
    path.write_text(text)
    with pytest.raises(BuildError) as caught:
        error_table(path)
    assert caught.value.remedy


def test_a_missing_error_table_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError):
        table_module.error_table(tmp_path / "absent.def")
