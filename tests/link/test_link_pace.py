"""How the host follows a line: what it takes for bad, how long it waits there, how much it sends at a time."""

from __future__ import annotations

import pytest

from ecgseg.link.numbers import PAYLOAD_MAX, Command
from ecgseg.link.pace import SMALLEST_PIECE, Line, Patience, Piece, Start

HELLO = (Command.HELLO, False)
READ = (Command.READ, False)
PUSH, COMPLETING = (Command.PUSH, False), (Command.PUSH, True)


def known(seconds: float = 0.001) -> Line:
    """A line on which a READ was answered."""
    line = Line()
    line.answered(READ, seconds)
    return line


def test_one_loss_does_not_make_a_line_bad_and_two_do() -> None:
    line = known()
    line.lost(READ, 0.001)
    assert not line.bad
    line.lost(READ, 0.001)
    assert line.bad


def test_a_bad_line_stays_bad_until_many_messages_in_a_row_have_got_through() -> None:
    line = known()
    for _ in range(2):
        line.lost(READ)
    for _ in range(20):
        line.answered(READ, 0.001)
    assert line.bad
    for _ in range(20):
        line.answered(READ, 0.001)
    assert not line.bad


def test_a_silent_port_is_no_bad_line() -> None:
    line = Line()
    for _ in range(10):
        line.lost(READ)
    assert not line.bad


def test_a_push_that_completes_a_frame_is_waited_for_longer_than_others() -> None:
    line = known()
    line.answered(PUSH, 0.06)
    line.answered(COMPLETING, 0.4)
    for _ in range(40):
        line.answered(PUSH, 0.06)
    assert line.wait(PUSH) == 0.12
    assert line.wait(COMPLETING) == 0.8
    assert line.wait((Command.INFER, False)) is None


def test_waits_do_not_grow_while_damaged_answers_come() -> None:
    line = known(0.1)
    for _ in range(2):
        line.lost(READ, 0.1)
    patience = Patience(line, first_wait=1.0, attempts=5)
    for _ in range(50):
        assert patience.next_wait(READ) == 0.2
        patience._started -= 0.1  # As if something damaged had come then.


def test_a_damaged_answer_tells_how_long_a_kind_of_work_takes() -> None:
    line = Line()
    line.lost(COMPLETING, 0.3)
    assert line.wait(COMPLETING) == 0.6
    assert line.wait(PUSH) is None


def test_a_few_quick_answers_do_not_make_the_next_one_late() -> None:
    line = known(0.0001)
    wait = line.wait(READ)
    assert wait is not None
    assert wait > 0.05
    for _ in range(100):
        line.answered(READ, 0.0001)
    assert line.wait(READ) == 0.01


def test_work_that_nobody_knows_is_waited_for_longer_than_any_other() -> None:
    line = known(2.0)
    for _ in range(2):
        line.lost(READ, 0.001)
    patience = Patience(line, first_wait=20.0, attempts=5)
    waits = []
    for _ in range(3):
        waits.append(patience.next_wait(COMPLETING))
        patience._started -= waits[-1] or 0.0  # As if it had been waited.
    assert waits == [8.0, 16.0, 20.0]


def test_a_bad_line_gets_more_attempts_within_the_time_of_the_usual_ones() -> None:
    line = known(0.1)
    for _ in range(2):
        line.lost(READ, 0.001)
    patience = Patience(line, first_wait=1.0, attempts=5)
    waits = []
    for _ in range(10):
        waits.append(patience.next_wait(READ))
        patience._started -= waits[-1] or 0.0  # As if it had been waited.
    assert waits[0] == 0.2
    assert all(wait is not None and wait <= 1.0 for wait in waits)
    patience._started -= 31.0
    assert patience.next_wait(READ) is None


def test_about_half_of_the_messages_get_through_whatever_the_line_loses() -> None:
    piece, arrived, count = Piece(), 0, 3000
    debt = 0.0
    for _ in range(count):
        # Losses in proportion to the size, spread evenly: one in two at 200 bytes.
        debt += piece.size / 400
        if debt >= 1.0:
            debt -= 1.0
            piece.lost(piece.size)
        else:
            piece.arrived(piece.size)
            arrived += 1
    assert 0.4 < arrived / count < 0.7
    assert 60 < piece.size < 500


def test_a_piece_stays_between_its_bounds() -> None:
    piece = Piece()
    piece.arrived(piece.size)
    assert piece.size == PAYLOAD_MAX
    for _ in range(40):
        piece.lost(piece.size)
    assert piece.size == SMALLEST_PIECE


def test_the_first_request_is_waited_for_longer_and_longer_while_nothing_comes() -> None:
    asked = []
    start = Start(20.0, 2.0, lambda: asked.append(start.sent), "it")
    waits = []
    for _ in range(6):
        waits.append(start.next_wait(HELLO))
        start._started -= waits[-1] or 0.0  # As if it had been waited.
    assert waits == pytest.approx([0.25, 0.5, 1.0, 2.0, 2.0, 2.0], rel=0.01)
    assert asked == [0, 1, 2, 3, 4, 5]


def test_a_damaged_answer_to_the_first_request_tells_how_soon_the_next_one_comes() -> None:
    start = Start(20.0, 2.0, lambda: None, "it")
    start.next_wait(HELLO)
    start._started -= 0.02  # Something damaged came after 20 ms.
    wait = start.next_wait(HELLO)
    assert wait == pytest.approx(0.04, abs=0.01)
    start._started -= 0.04  # Nothing came.
    longer = start.next_wait(HELLO)
    assert wait is not None
    assert longer is not None
    assert wait < longer < 1.5 * wait


def test_the_first_request_has_an_end() -> None:
    start = Start(20.0, 5.0, lambda: None, "it")
    start.next_wait(HELLO)
    start._started -= 19.0
    last = start.next_wait(HELLO)
    assert last is not None
    assert last <= 1.0
    start._started -= 1.0
    assert start.next_wait(HELLO) is None


def test_what_was_damaged_while_a_device_started_is_not_forgotten_and_what_was_silent_is() -> None:
    silent, damaged = Line(), Line()
    for _ in range(5):
        silent.lost(HELLO)
        damaged.lost(HELLO, 0.01)
    for line in (silent, damaged):
        line.answered(HELLO, 0.01)
    assert not silent.after_start().bad
    assert damaged.after_start().bad


@pytest.mark.parametrize("is_bad", [False, True])
@pytest.mark.parametrize("first_wait", [1.0, 20.0])
def test_a_request_without_an_answer_ends_31_first_waits_after_it_began(is_bad: bool, first_wait: float) -> None:
    line = known(0.01)
    for _ in range(2 * is_bad):
        line.lost(READ, 0.01)
    patience = Patience(line, first_wait, attempts=5)
    total, count = 0.0, 0
    while (wait := patience.next_wait(READ)) is not None:
        total, count = total + wait, count + 1
        patience._started -= wait
    assert total == pytest.approx(31 * first_wait, rel=0.01)
    assert (count > 5) == is_bad
