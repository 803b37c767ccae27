"""Nobody sees the stream but who was given its address, and no other page gets at it through a browser."""

from __future__ import annotations

import pytest

from ecgseg.monitor.access import is_local, is_same_origin, is_token, new_token, policy
from ecgseg.monitor.noise import NOISES
from ecgseg.monitor.wishes import MOST_BYTES, Mailbox, Wish, wish_of


def test_tokens_are_long_and_each_another_one() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 32


def test_only_the_token_is_the_token() -> None:
    token = new_token()
    assert is_token(token, token)
    for wrong in ("", token[:-1], token + "A", token.swapcase(), "\udcff", "ä"):
        assert not is_token(wrong, token)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:1", "LOCALHOST", "[::1]:8765"])
def test_names_of_this_computer(host: str) -> None:
    assert is_local(host)
    assert is_same_origin(f"http://{host}", host)


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "127.0.0.1:80@evil", "127.0.0.2"],
)
def test_a_name_that_was_pointed_here_is_none_of_them(host: str | None) -> None:
    assert not is_local(host)
    assert not is_same_origin(f"http://{host}", host)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://evil.example",
        "http://localhost:8000",
        "https://localhost:8765",
        "http://127.0.0.1:8765",
    ],
)
def test_a_page_of_another_origin_gets_no_stream(origin: str | None) -> None:
    assert not is_same_origin(origin, "localhost:8765")


def test_a_page_may_do_what_it_holds_and_no_more() -> None:
    told = policy("<style>a{}</style><script>1</script><style>b{}</style>")
    assert told.count("'sha256-") == 3
    assert "default-src 'none'" in told
    assert "unsafe" not in told


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ('{"record": 3}', Wish("record", 3)),
        ('{"lead": 0}', Wish("lead", 0)),
        (f'{{"noise": "{NOISES[1]}"}}', Wish("noise", NOISES[1])),
        ('{"write": true}', Wish("write", True)),
    ],
)
def test_wishes_that_are_known(text: str, wish: Wish) -> None:
    assert wish_of(text) == wish


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", "null", "{}", '{"record": -1}', '{"record": true}', '{"record": 1.5}', '{"record": "../x"}',
        '{"record": 99999999999}', '{"lead": null}', '{"noise": "loud"}', '{"write": 1}', '{"stop": true}',
        '{"lead": 1, "record": 1}', "[" * 900, '{"noise": "' + "x" * MOST_BYTES + '"}',
    ],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert wish_of(text) is None


def test_a_flood_of_wishes_takes_no_memory() -> None:
    mailbox = Mailbox()
    for number in range(10_000):
        mailbox.put(Wish("lead", number))
    found = []
    while (wish := mailbox.take()) is not None:
        found.append(wish.value)
    assert found[-1] == 9_999
    assert len(found) < 100
