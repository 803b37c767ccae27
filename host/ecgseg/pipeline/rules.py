"""The rules that make beats of a stream of classes: one table, which C gets rendered and scores use too."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecgseg.pipeline.parameters import SegmentRules


@dataclass(frozen=True)
class BeatRules:
    """Rules from classes to waves to beats (docs/architecture.md, section 11); lengths in samples at 100 Hz.

    Attributes:
        waves: how runs of a class become waves, for scores too.
        max_qrs: a longer QRS is none.
        refractory: least distance of two QRS onsets.
        max_pr: greatest distance from the onset of a P wave to its QRS onset.
        max_st: greatest distance from a QRS offset to the onset of its T wave.
        max_qt: greatest distance from a QRS onset to the offset of its T wave.
        least_standing: a QRS complex whose steepest step from a sample to the next is fewer tenths of the mean step
            outside of complexes is none, for so is noise.
        least_known: the same for one as high as those of a rhythm that is known.
        known_for: so many samples after its last confirmed beat that left no doubt a rhythm is known: beats as high, at
            its intervals, confirm each other, in noise too (`ecgseg.pipeline.known`).
        confirm: so many beats in a row, none further than `pause` behind the one before, are reported together after a
            start, a loss of signal or a pause, when two have P waves that the rhythm leaves them, as far in front, and
            are as high to one side or the last intervals are regular, and see `slow`; fewer are none. After so many in
            a row that leave a doubt (`ecgseg.pipeline.confirmation`) beats wait again.
        certain: so many in a row, fewer than `most_held`, confirm each other that have T waves, are of `plain_quality`
            and come regularly, or are certain, look alike, and have T waves or come regularly; one more that are
            certain and look alike.
        regular: the longest distance between the QRS onsets of the last (`certain`, or `most_held` that come slowly)
            exceeds the shortest by less than the shortest divided by this.
        qt_alike, qt_alike_few: of beats that look alike, of which the last `certain` do not come regularly, the QT
            intervals that are known, also of one that looks otherwise, are at most so many samples apart; the second
            where fewer than `certain` look alike.
        apart, apart_few: likewise, the longest distance between their QRS onsets is at most so many tenths of the
            shortest; the first also of all that wait.
        slow: beats among whose last `certain` two QRS onsets in a row are more samples apart, and which are not those
            of a rhythm that is known, confirm each other only when so many are as high to one side and come regularly,
            or one more are and are no further apart than `apart_few`, or `most_held` have T waves and come regularly,
            or `confirm` of those that wait have P waves as far in front and are as high.
        most_held: so many wait at the most; they confirm each other however high they are when all are certain, have T
            waves and lengths that are alike; of more the first is none.
        certain_quality: a beat is certain that is of this quality and returns to the level in front of it.
        plain_quality: see `certain`.
        least_height: microvolts; a beat whose R is lower is of neither quality.
        most_doubts: so many of `certain` beats that look alike may have no T wave; of those, or one more, so many may
            look otherwise.
        width_alike: of `certain` complexes those look alike whose lengths are at most so many samples apart.
        pr_alike: PR intervals at most so many samples apart are alike.
        irregular: a P wave is none when the steps from an RR interval to the next, in percent of the intervals, times
            how many of the last beats came late enough for a P wave and have none, are more than this times how many
            have one alike (`ecgseg.pipeline.rhythm`).
        faint: a score of P at most this far below that of NONE, in hundredths of a nat, is a faint P wave's.
        faint_gap: so many other samples may lie within one.
        faint_least, faint_most: samples of the shortest and the longest.
        faint_alike: a beat has one for its P wave when so many of the last 8 have one of either kind whose middle is as
            far in front of QRS, to within `pr_alike`.
        pause: see `confirm`.
        lead_off: so many samples without contact in a row are a loss of it.
        flat: so many samples in a row within `flat_uv` microvolts of the first of them are a flat line.
        flat_uv: see `flat`.
        noisy_from, noisy_to: share of bad waves, of 1024, from which on and below which no longer the signal is noise.
    """

    waves: SegmentRules = field(default_factory=lambda: SegmentRules.for_classes(4))
    max_qrs: int = 40
    refractory: int = 20
    max_pr: int = 40
    max_st: int = 45
    max_qt: int = 80
    least_standing: int = 30
    least_known: int = 20
    known_for: int = 12000
    confirm: int = 3
    certain: int = 4
    regular: int = 12
    qt_alike: int = 12
    qt_alike_few: int = 7
    apart: int = 40
    apart_few: int = 25
    slow: int = 150
    most_held: int = 6
    certain_quality: int = 50
    plain_quality: int = 20
    least_height: int = 30
    most_doubts: int = 1
    width_alike: int = 3
    pr_alike: int = 3
    irregular: int = 4
    faint: int = 280
    faint_gap: int = 1
    faint_least: int = 8
    faint_most: int = 25
    faint_alike: int = 5
    pause: int = 300
    lead_off: int = 20
    flat: int = 250
    flat_uv: int = 6
    noisy_from: int = 640
    noisy_to: int = 384


BEAT_RULES = BeatRules()
