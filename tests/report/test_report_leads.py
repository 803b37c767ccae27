"""All leads of a test in one page: the worst first, each small and whole inside of it, names as data."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from ecgseg.data.records import labels
from ecgseg.hil.result import ShownLead
from ecgseg.hil.shown import ShownLeads
from ecgseg.pipeline import LEAD_OFF, UNANNOTATED, runs
from ecgseg.report.embedded import embed, encoded
from ecgseg.report.excerpt import MOST_SECONDS, excerpt
from ecgseg.report.html import render_report
from ecgseg.report.leads import AllLeads, LeadFigures
from ecgseg.scoring.metrics import FiducialScorer
from support.pages import Page
from support.report_pages import HARM, MISMATCH
from support.strips import annotated_lead, late, mask_of, run_of, strips_of, unpacked

LEAD = annotated_lead()


def table(*leads: ShownLead) -> AllLeads:
    return AllLeads.of(run_of(list(leads)).result.by_lead, leads)


@pytest.mark.parametrize("seed", range(4))
def test_a_strip_holds_every_sample_and_every_class(seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.integers(LEAD_OFF, 32768, 5003, dtype=np.int16)
    samples[:4] = (32767, LEAD_OFF, LEAD_OFF, 32767)
    device = np.repeat(rng.integers(0, 4, 300), rng.integers(1, 9, 300))[:1001].astype(np.uint8)
    shown = replace(LEAD, record=replace(LEAD.record, samples=samples), reference=device[::-1], device=device)
    about, signal = unpacked(encoded(LeadFigures.of(shown)))
    assert np.array_equal(signal, samples)
    masks = {name: mask_of(lengths) for name, lengths in about["rows"]}
    assert np.array_equal(masks["Device"], device)
    assert np.array_equal(masks["Python"], device[::-1])
    assert np.array_equal(masks["Annotation"], labels(shown.record, 4, shown.record.step))
    differs = np.zeros(device.size, bool)
    for first, last in about["differs"]:
        differs[first : last + 1] = True
    assert np.array_equal(differs, device != device[::-1])


def test_the_points_of_a_strip_are_those_that_scores_count() -> None:
    shown = late(LEAD, 7, "v1", 3)
    scorer = FiducialScorer(4)
    scorer.add(shown.record, shown.segments)
    about, _ = unpacked(encoded(LeadFigures.of(shown)))
    for name, found, annotated, surplus, mean, deviation, *_ in about["points"]:
        score = scorer.scores()[name]
        assert (found, annotated) == (score.true_positives, score.true_positives + score.false_negatives)
        assert surplus == score.false_positives
        assert (mean, deviation) == pytest.approx((score.mean_ms, score.sd_ms), abs=0.051)


def test_the_worst_point_is_told_with_its_place() -> None:
    error, place = LeadFigures.of(late(LEAD, 7, "v1", 2)).worst["P onset"]
    third = runs((LEAD.device == 1).astype(np.uint8))[2]
    assert place == pytest.approx(10 * third.onset, abs=10)
    assert error == pytest.approx(20, abs=10)


def test_leads_that_differ_come_first_then_those_that_are_furthest_off() -> None:
    differing = replace(late(LEAD, 3, "ii", 2), equal=False)
    rows = table(late(LEAD, 1, "ii", 0), late(LEAD, 2, "v1", 2), differing, late(LEAD, 4, "avr", 1)).rows
    assert [(row.record, row.lead) for row in rows] == [("3", "II"), ("2", "V1"), ("4", "AVR"), ("1", "II")]
    html = render_report(run_of([late(LEAD, 1, "ii", 1), late(LEAD, 2, "v1", 2)]))
    assert html.index('data-record="2"') < html.index('data-record="1"')


def test_strips_have_as_much_room_as_they_are_given_and_the_worst_have_it_first() -> None:
    rows = table(*(late(LEAD, number, "ii", number) for number in range(2, 6))).rows
    size = len(encoded(rows[0].figures)) if rows[0].figures else 0
    told, strips = embed(rows, most=int(2.5 * size))
    assert [row.index for row in told] == [0, 1, None, None]
    assert len(strips) == 2
    assert AllLeads(told).left_out == 2


def test_a_page_of_480_leads_of_ten_seconds_is_smaller_than_15_megabytes() -> None:
    rng = np.random.default_rng(1)
    # As rough as no electrode is: 20 microvolts of white noise cannot be packed.
    noisy = (LEAD.record.samples + rng.normal(0, 20, LEAD.record.samples.size)).astype(np.int16)
    leads = [replace(LEAD, record=replace(LEAD.record, record_id=n, samples=noisy)) for n in range(1, 13)]
    few, many = (len(render_report(run_of(leads[:count])).encode()) for count in (6, 12))
    assert many + (many - few) / 6 * 468 < 15_000_000


def test_names_that_would_end_a_script_or_begin_a_comment_are_text() -> None:
    name = "</script><!--" + HARM
    record = replace(LEAD.record, name=name, lead=name, rhythm=name)
    html = render_report(
        run_of([replace(LEAD, record=record)], mismatches=[MISMATCH.model_copy(update={"lead": name})])
    )
    assert "</script><!--" not in html
    page = Page(html)
    (row,) = [attributes for attributes in page.tags("tr") if "data-record" in attributes]
    assert (row["data-record"], row["data-rhythm"]) == (name, name)
    about, signal = unpacked(strips_of(html)[0])
    assert name not in str(about)
    assert np.array_equal(signal, record.samples)


def test_what_differs_leads_to_its_picture() -> None:
    shown = replace(late(LEAD, 181, "ii", 2), equal=False)
    html = unescape(render_report(run_of([LEAD, shown], verdict="fail", mismatches=[MISMATCH])))
    assert '<a href="#lead-1" data-record="181" data-opens="II">181</a>' in html
    assert html.index("What differs first") < html.index('<article class="card" id="lead-1">')
    assert "Record 181, lead II" in html.partition('id="lead-1">')[2][:60]


def test_a_lead_that_nobody_annotated_has_a_strip_without_points() -> None:
    bare = replace(LEAD, record=replace(LEAD.record, waves=()))
    rows = table(bare)
    assert rows.points == ()
    about, _ = unpacked(strips_of(render_report(run_of([bare])))[0])
    assert [name for name, _ in about["rows"]] == ["Python", "Device"]
    assert about["points"] == []


@pytest.mark.parametrize("differs_at", [None, 3300])
def test_a_picture_of_a_long_lead_shows_what_differs_or_the_beginning_of_what_is_annotated(
    differs_at: int | None,
) -> None:
    long = annotated_lead(4)
    device = long.device.copy()
    if differs_at is not None:
        device[differs_at] ^= 3
    part = excerpt(replace(long, device=device, equal=differs_at is None))
    assert part.device.size == part.reference.size == 100 * MOST_SECONDS
    assert part.record.samples.size == 500 * MOST_SECONDS
    assert np.count_nonzero(part.device != part.reference) == (differs_at is not None)
    truth = labels(part.record, 4, part.record.step)
    assert np.count_nonzero(truth != UNANNOTATED) > 500


def test_leads_are_kept_as_long_as_there_is_room() -> None:
    size = LEAD.record.samples.nbytes + 2 * LEAD.device.nbytes
    shown = ShownLeads(2 * size + 1)
    for _ in range(3):
        shown.add(LEAD)
    assert (len(shown.leads), shown.left_out) == (2, 1)
    nothing = ShownLeads(0)
    nothing.add(LEAD)
    assert nothing.leads == []
