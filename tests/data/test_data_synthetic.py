"""Guards the synthetic ECG: exact truth, rhythms that are what they say, repeatable bytes, no side effects."""

from __future__ import annotations

import hashlib
import random
from itertools import pairwise

import numpy as np
import pytest

from ecgseg.data.databases import synthetic
from ecgseg.data.databases.ludb import LEADS
from ecgseg.data.databases.synthetic import recordings
from ecgseg.data.records import labels
from ecgseg.errors import UsageError
from ecgseg.pipeline import LEAD_OFF, UNANNOTATED


def recording(rhythm, leads=("ii",), seed=1, **options):
    return synthetic.synthesise(1, rhythm, leads, rng=np.random.default_rng(seed), **options)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    first = synthetic.synthetic_records(6, 2, seed=5)
    again = synthetic.synthetic_records(6, 2, seed=5)
    other = synthetic.synthetic_records(6, 2, seed=6)
    assert [r.samples.tobytes() for r in first] == [r.samples.tobytes() for r in again]
    assert [(r.lead, r.waves) for r in first] == [(r.lead, r.waves) for r in again]
    assert [r.samples.tobytes() for r in first] != [r.samples.tobytes() for r in other]


def test_the_population_that_committed_models_learnt_from_keeps_its_bytes():
    digest = hashlib.sha256()
    for record in synthetic.synthetic_records(8, 2, seed=5):
        digest.update(record.samples.tobytes())
        digest.update(repr((record.record_id, record.lead, record.rhythm, record.waves)).encode())
    assert digest.hexdigest() == "73c734e23a4362d8b47151cfe5db2c8a775c1ef73d764ba75afa895d136d137a"


def test_the_global_random_states_are_left_alone():
    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tobytes()
    synthetic.synthetic_records(8, 1, seed=5)
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before


def test_named_leads_come_in_their_order():
    records = synthetic.synthetic_records(3, ("v1", "i"), seed=2)
    assert [(r.record_id, r.lead) for r in records] == [(n, lead) for n in (1, 2, 3) for lead in ("v1", "i")]


def test_the_library_takes_part():
    rhythms = {record.rhythm for record in synthetic.synthetic_records(32, 1, seed=9)}
    assert "left posterior hemiblock" in rhythms, "this one comes from physiokit alone"


@pytest.mark.parametrize("rhythm", synthetic.RHYTHMS)
def test_waves_are_in_order_apart_and_inside_the_recording(rhythm):
    for record in recording(rhythm, LEADS):
        edges = [point for wave in record.waves for point in (wave.onset, wave.offset)]
        assert all(a < b for a, b in pairwise(edges)), (record.lead, edges)
        assert edges[0] >= 0
        assert edges[-1] < record.samples.size
        assert {wave.kind for wave in record.waves} >= {"QRS", "T"}


@pytest.mark.parametrize("rhythm", ["atrial fibrillation", "atrial flutter", "ventricular pacing"])
def test_rhythms_without_p_waves_have_none(rhythm):
    assert all(wave.kind != "P" for record in recording(rhythm, LEADS) for wave in record.waves)


def test_a_premature_ventricular_beat_is_wide_and_has_no_p_wave():
    waves = [w for seed in range(5) for w in recording("ventricular ectopy", seed=seed)[0].waves]
    wide = [i for i, w in enumerate(waves) if w.kind == "QRS" and w.offset - w.onset >= 0.135 * synthetic.RATE]
    assert wide
    assert all(waves[i - 1].kind != "P" for i in wide if i)


@pytest.mark.parametrize("rate", [30, 60, 120, 200])
def test_the_heart_rate_is_the_one_asked_for(rate):
    onsets = [w.onset for w in recording("sinus", rate=rate)[0].waves if w.kind == "QRS"]
    measured = 60 * synthetic.RATE / np.mean(np.diff(onsets))
    assert measured == pytest.approx(rate, rel=0.06)


def test_nothing_but_noise_lies_outside_the_waves(monkeypatch):
    monkeypatch.setattr(recordings, "noise", lambda t, rng: np.zeros_like(t))
    record = recording("sinus", rate=60)[0]
    span = np.arange(record.span[0], record.span[1] + 1)
    outside = np.ones(record.samples.size, dtype=bool)
    for wave in record.waves:
        outside[wave.onset : wave.offset + 1] = False
    assert np.abs(record.samples[span][outside[span]]).max() <= 1
    for wave in record.waves:
        inside = np.abs(record.samples[wave.onset : wave.offset + 1])
        assert inside.max() > 10
        # The wave fills what the truth says: a tenth of its width in, it has left the baseline.
        tenth = (wave.offset - wave.onset) // 10
        assert inside[tenth] >= 1
        assert inside[-1 - tenth] >= 1


@pytest.mark.parametrize("disturbance", ["lead off", "flat line"])
def test_what_a_gap_hides_is_not_annotated(disturbance):
    record = recording("sinus", rate=100, disturbance=disturbance)[0]
    if disturbance == "lead off":
        gap = np.flatnonzero(record.samples == LEAD_OFF)
    else:
        still = np.flatnonzero(np.diff(record.samples.astype(int)) == 0)
        longest = max(np.split(still, np.flatnonzero(np.diff(still) > 1) + 1), key=len)
        gap = np.append(longest, longest[-1] + 1)
    assert gap.size >= synthetic.RATE // 4
    touched = [w for w in record.waves if w.onset is None]
    assert touched
    assert all(gap[0] <= w.peak + 150 and w.peak - 150 <= gap[-1] for w in touched)
    mask = labels(record, 4, 5)
    assert np.count_nonzero(mask == UNANNOTATED) > 10


def test_clipping_reaches_the_rails_and_no_further():
    samples = recording("sinus", disturbance="clipping")[0].samples
    assert samples.max() == 32767 or samples.min() == -32767
    assert LEAD_OFF not in samples


@pytest.mark.parametrize(
    ("rhythm", "options"), [("tango", {}), ("sinus", {"rate": 20}), ("sinus", {"disturbance": "rain"})]
)
def test_nonsense_is_refused_with_a_remedy(rhythm, options):
    with pytest.raises(UsageError) as error:
        recording(rhythm, **options)
    assert error.value.remedy
