"""Guards the population of streams and recordings of noise: truth where it can be seen, rhythms that are true."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest

from ecgseg.data.databases import synthetic
from ecgseg.data.databases.synthetic.stream.atria import fibrillation, flutter
from ecgseg.data.databases.synthetic.stream.interference import pulls, stress
from ecgseg.data.databases.synthetic.stream.patient import RHYTHM_SHARES, draw_patient
from ecgseg.data.databases.synthetic.stream.recordings import noise_records, stream_recording
from ecgseg.data.databases.synthetic.stream.shapes import place, t_shape
from ecgseg.data.databases.synthetic.waves import bump
from ecgseg.data.records import labels
from ecgseg.errors import UsageError
from ecgseg.pipeline import LEAD_OFF


def recordings(name, count=5, leads=("ii",), duration=12.0):
    """Recordings of several patients of a rhythm."""
    result = []
    for seed in range(count):
        rng = np.random.default_rng([seed, 7])
        result += stream_recording(seed, draw_patient(rng, name), leads, duration, rng)
    return result


def test_the_population_that_committed_streams_learnt_from_keeps_its_bytes():
    digest = hashlib.sha256()
    waves = synthetic.synthetic_records(12, 2, 5, population="stream", duration_s=8.0)
    for record in (*waves, *noise_records(8, 5, 8.0)):
        digest.update(record.samples.tobytes())
        digest.update(repr((record.record_id, record.lead, record.rhythm, record.waves)).encode())
    assert digest.hexdigest() == "b6f11f1f78dd9824d04023f67c24bb5e2402dce3ab9b27ff121eda06cdfa2601"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    def made(seed):
        records = synthetic.synthetic_records(3, 2, seed, population="stream", duration_s=8.0)
        return [(r.samples.tobytes(), r.lead, r.waves) for r in (*records, *noise_records(3, seed, 8.0))]

    assert made(5) == made(5)
    assert made(5) != made(6)
    assert all(len(data) == 2 * 8 * synthetic.RATE for data, _, _ in made(5))


@pytest.mark.parametrize(
    "options", [{"population": "tango"}, {"duration_s": 30.0}, {"population": "stream", "duration_s": 0.0}]
)
def test_what_is_not_made_is_refused(options):
    with pytest.raises(UsageError) as error:
        synthetic.synthetic_records(1, 1, **options)
    assert error.value.remedy


@pytest.mark.parametrize("name", RHYTHM_SHARES)
def test_waves_are_in_order_apart_and_inside_the_recording(name):
    for record in recordings(name, 3, ("ii", "v1"), 12.0):
        waves = record.waves
        assert all(a.onset <= a.peak <= a.offset for a in waves if a.complete)
        edges = [point for wave in waves for point in wave.points]
        assert edges == sorted(edges), (record.lead, edges)
        assert all(max(a.points) < min(b.points) for a, b in pairwise(waves) if a.complete and b.complete)
        assert edges[0] >= 0
        assert edges[-1] < record.samples.size
        assert sum(wave.kind == "QRS" for wave in waves) >= 5
        assert set(labels(record, 4, 5).tolist()) <= {0, 1, 2, 3, 255}


@pytest.mark.parametrize(
    "name", ["atrial fibrillation", "atrial flutter", "supraventricular tachycardia", "junctional rhythm"]
)
def test_rhythms_without_p_waves_have_none(name):
    assert all(wave.kind != "P" for record in recordings(name) for wave in record.waves)


def rr(record):
    return np.diff([wave.peak for wave in record.waves if wave.kind == "QRS"]) / synthetic.RATE


def test_fibrillation_is_irregular_and_sinus_rhythm_is_not():
    spread = [rr(r).std() / rr(r).mean() for r in recordings("atrial fibrillation", 8)]
    assert np.median(spread) > 0.12
    assert np.median([rr(r).std() / rr(r).mean() for r in recordings("supraventricular tachycardia", 8)]) < 0.06


def test_fibrillatory_waves_have_4_to_9_hz():
    for seed in range(8):
        wave = fibrillation(15_000, 0.1, np.random.default_rng(seed))
        power = np.abs(np.fft.rfft(wave)) ** 2
        frequency = np.fft.rfftfreq(wave.size, 1 / synthetic.RATE)
        assert 3.8 <= frequency[power.argmax()] <= 9.5
        assert power[(frequency > 3.5) & (frequency < 30)].sum() > 0.95 * power.sum()
        assert 0.01 < np.abs(wave).max() < 0.6


def test_flutter_repeats_with_its_atria():
    onsets = np.arange(0, 40) * 0.2
    wave = flutter(3000, onsets, 0.1, np.random.default_rng(3))
    assert np.allclose(wave[100:1000], wave[200:1100], atol=1e-9)
    assert np.ptp(wave) > 0.05


def test_beats_of_third_degree_block_do_not_follow_the_atria():
    intervals = []
    for record in recordings("third degree block", 10, duration=30.0):
        p = [wave.peak for wave in record.waves if wave.kind == "P"]
        for qrs in (wave.onset for wave in record.waves if wave.kind == "QRS" and wave.complete):
            before = [qrs - peak for peak in p if peak < qrs]
            intervals += [min(before) / synthetic.RATE] if before else []
    assert np.std(intervals) > 0.15


def test_pr_covers_what_patients_have():
    found = []
    for name in ("first degree block", "sinus", "sinus tachycardia"):
        for record in recordings(name, 10, duration=8.0):
            found += [
                (b.onset - a.onset) / synthetic.RATE
                for a, b in pairwise(record.waves)
                if a.kind == "P" and b.kind == "QRS" and a.complete and b.complete
            ]
    assert min(found) < 0.12
    assert max(found) > 0.3


def test_the_tangent_of_a_bump_meets_the_baseline_where_it_should():
    wave = place(lambda u: bump(u, 0.0, 1.0), 0.0, 1.0, 1.0)
    # Half a raised cosine of width w is steepest at w / 2 and meets the baseline w / pi later.
    # Annotators set the onset 4 ms before.
    onset, offset = wave.ends("T", 1.0)
    assert offset == pytest.approx(250 + 250 * (0.5 + 1 / np.pi), abs=3)
    assert 455 < wave.ends("T", 0.0)[1] < 480
    assert 0.1 <= wave.values[onset + 2] < 0.12


def test_every_t_wave_ends_behind_its_peak_and_near_its_end():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        wave = place(t_shape(rng), 0.0, 0.2, float(rng.choice([-1, 1])) * 0.2)
        onset, offset = wave.ends("T", float(rng.random()))
        assert onset < wave.peak < offset + 45
        assert onset < 40
        assert 70 <= offset <= 102
        assert wave.height == pytest.approx(0.2, rel=0.02)


def test_ends_are_seen_in_the_signal_before_noise():
    wave = place(lambda u: bump(u, 0.0, 1.0), -0.1, 0.3, 0.5)
    total = np.zeros(200)
    wave.add_to(total)
    assert total[:100].max() == pytest.approx(0.5, rel=0.01)
    assert total[105:].max() == 0.0
    assert wave.start == -50


def test_what_contact_loss_hides_is_not_annotated():
    lost = 0
    for record in synthetic.synthetic_records(60, 1, 11, population="stream", duration_s=5.0):
        gap = record.samples == LEAD_OFF
        lost += bool(gap.any())
        for wave in record.waves:
            if gap[min(wave.points) : max(wave.points) + 1].any():
                assert wave.onset is None
                assert wave.offset is None
    assert lost


def test_noise_of_the_stress_test_is_as_loud_as_it_says():
    hiding = set()
    for seed in range(20):
        noise, hides = stress(5000, 1.5, np.random.default_rng(seed))
        decibels = 10 * np.log10(1.5**2 / 8 / np.mean(noise**2))
        assert -3.1 <= decibels <= 14.1
        hiding.add(hides)
    assert hiding == {True, False}


def test_noise_is_annotated_as_nothing_over_its_whole_length():
    records = noise_records(30, 3, 10.0)
    assert all(record.waves == () and record.span == (0, 4999) for record in records)
    assert all(set(labels(record, 4, 5).tolist()) == {0} for record in records)
    assert {record.source for record in records} == {"noise"}
    assert any((record.samples == LEAD_OFF).any() for record in records)
    assert any(np.abs(record.samples.astype(int)).max() == 32767 for record in records)
    flat = [record for record in records if record.rhythm == "flat line"]
    assert flat


def test_a_pulled_electrode_jumps_and_creeps_back_at_any_pace():
    jumps = []
    for seed in range(20):
        pulled = pulls(30 * synthetic.RATE, np.random.default_rng(seed))
        steps = np.abs(np.diff(pulled))
        jumps.append(int(np.count_nonzero(steps > 0.2)))
        # Between pulls the level only comes back.
        assert np.quantile(steps, 0.9) < 0.05
    assert min(jumps) <= 5
    assert max(jumps) >= 30


def test_noise_has_as_many_pulled_electrodes_as_asked_for():
    assert not any("pulls" in record.rhythm for record in noise_records(30, 3, 10.0))
    records = noise_records(200, 3, 10.0, pulled=0.5)
    assert 75 <= sum("pulls" in record.rhythm for record in records) <= 115
    assert all(set(labels(record, 4, 5).tolist()) == {0} for record in records)


def test_patients_of_long_qt_are_there_when_asked_for():
    def qtc(share):
        return np.array([draw_patient(np.random.default_rng(seed), long_qt=share).qtc for seed in range(400)])

    assert qtc(0.0).max() < 0.58
    assert 30 <= np.count_nonzero(qtc(0.2) > 0.55) <= 70
    assert np.array_equal(qtc(0.0), [draw_patient(np.random.default_rng(seed)).qtc for seed in range(400)])
    usual, long = (
        synthetic.synthetic_records(2, 1, 9, population="stream", duration_s=8.0, long_qt=share) for share in (0, 1)
    )
    assert [r.waves for r in usual] != [r.waves for r in long]
