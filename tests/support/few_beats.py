"""Few beats that confirm each other or end a rhythm, or do not: tables for the tests of Python and of C."""

from __future__ import annotations

import numpy as np

from ecgseg.pipeline import LEAD_OFF
from support.streams_of_classes import Classes, beats, from_the_side, swings, with_longer_t, with_p, without_t

IRREGULAR = [100, 180, 290, 350, 450]
FASTER = [100, 150, 250, 350, 500]

SLOW = [100 + 160 * beat for beat in range(6)]
BIGEMINY = [100, 172, 392, 464, 684, 756]
# As a lead sees them from the side: heights, lengths.
OTHERWISE = ([600, -200, 1100, -350, 700, -250], [9, 14, 5, 14, 9, 9])

PR_APART = {
    pr: with_p(with_p(with_p(swings([100, 180, 310], [1000, 1000, -400], [9] * 3), [100]), [180], pr), [310], 30)
    for pr in (21, 22)
}
ONSETS_LOST = with_p(swings([100, 180, 310], [1000] * 3, [9] * 3), [100, 180, 310])
# No contact at the sample in front of each.
ONSETS_LOST.samples[[81, 161, 291]] = LEAD_OFF
FIRST_QT_OF_FIVE = {
    more: without_t(with_longer_t(beats(IRREGULAR, 600, p=False), IRREGULAR[0], more), IRREGULAR[2:])
    for more in (12, 13)
}

# Beats, and how many of them are told.
FEW_BEATS: dict[str, tuple[Classes, int]] = {
    "regular": (from_the_side([96, 96, 103]), 4),
    "less regular": (from_the_side([96, 96, 104]), 0),
    "faster": (from_the_side([90, 90, 97]), 4),
    "faster and less regular": (from_the_side([80, 80, 87]), 0),
    "one is low": (from_the_side([96, 96, 96], (600, -200, 36, 1100)), 0),
    "regular without T": (beats([100, 180, 260, 340], 400, p=False, t=False), 4),
    "irregular without T": (beats([100, 180, 290, 350], 400, p=False, t=False), 0),
    "irregular, one without T": (without_t(beats(IRREGULAR, 510, p=False), IRREGULAR[1:2]), 5),
    "irregular, two without T": (without_t(beats(IRREGULAR[:4], 400, p=False), IRREGULAR[1:4:2]), 0),
    "five irregular without T": (beats(IRREGULAR, 510, p=False, t=False), 5),
    "of five one looks otherwise": (
        without_t(swings(IRREGULAR, [1000, 1000, -1000, 1000, 1000], [9] * 5), IRREGULAR),
        5,
    ),
    "of five two look otherwise": (
        without_t(swings(IRREGULAR, [1000, -1000, -1000, 1000, 1000], [9] * 5), IRREGULAR),
        0,
    ),
    "QT of one is longer": (with_longer_t(beats(IRREGULAR[:4], 400, p=False), IRREGULAR[2], 12), 4),
    "QT of one is too long": (with_longer_t(beats(IRREGULAR[:4], 400, p=False), IRREGULAR[2], 13), 0),
    "three alike and QT of one is longer": (
        with_longer_t(swings(IRREGULAR[:4], [1000, 1000, -1000, 1000], [9] * 4), IRREGULAR[2], 7),
        4,
    ),
    "three alike and QT of one is too long": (
        with_longer_t(swings(IRREGULAR[:4], [1000, 1000, -1000, 1000], [9] * 4), IRREGULAR[2], 8),
        0,
    ),
    "an interval is long": (beats([100, 200, 237, 385], 500, p=False), 4),
    "an interval is too long": (beats([100, 200, 237, 386], 500, p=False), 0),
    "one of those that wait in front is long": (beats([100, 248, 285, 385, 485], 600, p=False), 5),
    "one of those that wait in front is too long": (beats([100, 249, 286, 386, 486], 600, p=False), 0),
    "the oldest of five intervals is too long": (
        swings([100, 249, 286, 386, 476, 586], [1000] * 6, [14, *[9] * 5]),
        0,
    ),
    "three alike, and one that waits in front is longer": (
        swings([100, 250, 300, 370, 430], [-1000, 1000, -1000, 1000, 1000], [9] * 5),
        5,
    ),
    "three alike and an interval is long": (swings([100, 156, 256, 396], [1000, 1000, -1000, 1000], [9] * 4), 4),
    "three alike and an interval is too long": (swings([100, 156, 256, 397], [1000, 1000, -1000, 1000], [9] * 4), 0),
    "two with P are as high": (with_p(swings([100, 180, 310], [1000, 1400, -400], [9] * 3), [100, 180, 310]), 3),
    "none with P are as high": (with_p(swings([100, 180, 310], [1000, 1600, -400], [9] * 3), [100, 180, 310]), 0),
    "those with P go to both sides": (
        with_p(swings([100, 180, 310], [1000, -1000, -400], [9] * 3), [100, 180, 310]),
        0,
    ),
    "those with P go to both sides and come regularly": (
        with_p(swings([100, 180, 260], [1000, -1000, -400], [9] * 3), [100, 180, 260]),
        3,
    ),
    "two of three have P and come regularly": (with_p(swings([100, 180, 260], [1000] * 3, [9] * 3), [100, 180]), 3),
    "two of three have P, against which the rhythm speaks": (
        with_p(swings([100, 180, 310], [1000] * 3, [9] * 3), [100, 180]),
        0,
    ),
    "those with P are nearly as far in front": (PR_APART[21], 3),
    "those with P are not as far in front": (PR_APART[22], 0),
    "of three with P the rhythm speaks against the older": (
        with_p(swings([100, 160, 300], [1000] * 3, [9] * 3), [100, 160]),
        0,
    ),
    "P waves whose onsets are lost": (ONSETS_LOST, 0),
    "five of which one interval is long": (beats([100, 137, 237, 337, 485], 600, p=False, t=False), 5),
    "five of which one interval is too long": (beats([100, 137, 237, 337, 486], 600, p=False, t=False), 0),
    "five of which the first has a longer QT": (FIRST_QT_OF_FIVE[12], 5),
    "five of which the first has too long a QT": (FIRST_QT_OF_FIVE[13], 0),
    "four of five alike may be farther apart than three of four": (
        without_t(swings(FASTER, [1000, 1000, -1000, 1000, 1000], [9] * 5), FASTER),
        5,
    ),
    "three with P, just not slow": (with_p(swings([100, 250, 400], [1000] * 3, [9] * 3), [100, 250, 400]), 3),
    "three with P, slow": (with_p(swings(SLOW[:3], [1400, 1000, 750], [9] * 3), SLOW[:3]), 3),
    "three with P, slow, one higher": (with_p(swings(SLOW[:3], [1000, 1000, 1600], [9] * 3), SLOW[:3]), 0),
    "three slow, one of them without P": (with_p(swings(SLOW[:3], [1000] * 3, [9] * 3), SLOW[:2]), 0),
    "three with P, slow, one not as far in front": (
        with_p(with_p(swings(SLOW[:3], [1000] * 3, [9] * 3), SLOW[:2]), SLOW[2:3], 22),
        0,
    ),
    "bigeminy with pauses": (with_p(swings(BIGEMINY, [1000, -800] * 3, [9] * 6), BIGEMINY[::2]), 6),
    "bigeminy with pauses, without P": (swings(BIGEMINY, [1000, -800] * 3, [9] * 6), 0),
    "four that come slowly and regularly": (swings(SLOW[:4], [1400, 1000, 1000, 750], [9] * 4), 4),
    "four that come slowly and regularly, one higher": (swings(SLOW[:4], [1000, 1000, 1600, 1000], [9] * 4), 0),
    "four that come slowly and regularly to both sides": (swings(SLOW[:4], [1000, 1000, -1000, 1000], [9] * 4), 0),
    "six that come slowly and regularly": (swings(SLOW, *OTHERWISE), 6),
    "six that come slowly and regularly, one without T": (without_t(swings(SLOW, *OTHERWISE), SLOW[:1]), 0),
    "six that come slowly and less regularly": (swings([*SLOW[:5], SLOW[5] + 30], OTHERWISE[0], [9] * 6), 0),
    "six that come slowly, the last four regularly": (swings([SLOW[0] - 30, *SLOW[1:]], *OTHERWISE), 0),
    "five of which the last four do not come slowly": (
        swings([100, 300, 400, 500, 600], OTHERWISE[0][:5], OTHERWISE[1][:5]),
        5,
    ),
    "four that come slowly and irregularly": (beats([100, 251, 352, 453], 600, p=False), 0),
    "five that come slowly and irregularly": (beats([100, 161, 312, 413, 514], 660, p=False), 5),
    "five that come slowly and too irregularly": (beats([100, 160, 311, 412, 513], 660, p=False), 0),
    "the last five of six come slowly and irregularly": (
        swings([100, 160, 261, 412, 513, 664], [-1000, *[1000] * 5], [9] * 6),
        6,
    ),
    "three that come as slowly as before a pause": (beats([*SLOW, *(onset + 1140 for onset in SLOW[:3])], 1700), 9),
    "five that come slowly and irregularly, one otherwise": (
        swings([100, 200, 351, 452, 553], [-1000, 1000, 1000, 1000, 1000], [9] * 5),
        0,
    ),
    "a T wave that goes on has no QT": (with_longer_t(beats([100, 180, 290, 400], 560, p=False), 290, 45), 4),
}

CLEAR = [60, 140, 220, 300, 380]
LATER = [450, 550, 610, 705, 770]
LONG_AFTER = [450, 550, 610, 705, 770, 870, 930, 1025, 1090, 1190, 1250, 1345, 1410]
REGULARLY = [460, 540, 620, 700, 780]


def behind_clear(
    heights: list[int], onsets: list[int] = LATER, *, returning: slice = slice(0), p: bool = False, t: bool = True
) -> Classes:
    """A clear rhythm of 1 mV and then beats of other heights, behind some of which the signal returns at once."""
    classes = swings([*CLEAR, *onsets], [*[1000] * len(CLEAR), *heights], [9] * (len(CLEAR) + len(onsets)))
    classes = with_p(classes, [*CLEAR, *onsets] if p else CLEAR)
    samples = classes.samples.astype(float)
    for onset, height in zip(onsets, heights, strict=True):
        if onset not in onsets[returning]:
            samples[onset + 5 : onset + 45] = np.linspace(0.8 * height, 0, 40)
    slow = Classes(classes.labels, np.rint(samples).astype(np.int16))
    return slow if t else without_t(slow, onsets)


def without_contact_in_front(classes: Classes, onsets: list[int]) -> Classes:
    """No contact at one sample in front of each of these."""
    samples = classes.samples.copy()
    samples[np.array(onsets) - 10] = LEAD_OFF
    return Classes(classes.labels, samples)


# Beats of which those behind the first five may leave a doubt, and how many are told: where three in a row do the rest
# wait.
DOUBTED_BEATS: dict[str, tuple[Classes, int]] = {
    "as high": (behind_clear([1000] * 5), 10),
    "as high to the other side": (behind_clear([-1000] * 5), 10),
    "not much higher": (behind_clear([1400] * 5), 10),
    "higher": (behind_clear([1700] * 5), 8),
    "lower": (behind_clear([500] * 5), 8),
    "every other one is higher": (behind_clear([1700, 1000, 1700, 1000, 1700]), 10),
    "as high, faster": (behind_clear([1000] * 5, [500, 550, 670, 720, 840]), 10),
    "two are higher": (behind_clear([1700, 1700, 1000, 1700, 1700]), 10),
    "higher, and the signal returns": (behind_clear([1700] * 5, returning=slice(5)), 10),
    "higher and regular": (behind_clear([1700] * 5, REGULARLY), 10),
    "higher, with P and T": (behind_clear([1700] * 5, p=True), 10),
    "higher, with P alone": (behind_clear([1700] * 5, p=True, t=False), 8),
    "as high, with neither P nor T": (behind_clear([1000] * 5, t=False), 10),
    "as high, and no interval is known": (
        without_contact_in_front(behind_clear([1000] * 5), [*CLEAR[2:], *LATER]),
        10,
    ),
    "as high as those that confirmed each other since": (
        behind_clear([2500] * 13, LONG_AFTER, returning=slice(3, 7)),
        18,
    ),
}
