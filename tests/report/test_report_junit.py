"""JUnit XML of a HIL test: a case for each lead, where bytes differ, and names that are data."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from ecgseg.errors import OutputError
from ecgseg.hil.result import HilResult
from ecgseg.hil.stream_result import StreamMismatch, StreamResult
from ecgseg.report.junit import render_junit, write_junit
from support.report_pages import HARM, MISMATCH, outcome, result, stream_result

HOSTILE = f"{HARM}\x00\x1b[31m]]>\ufffe\ud800"


def suite(found: HilResult | StreamResult) -> ElementTree.Element:
    (one,) = ElementTree.fromstring(render_junit(found))
    assert int(str(one.get("tests"))) == len(cases(one))
    assert int(str(one.get("failures"))) == len(one.findall("testcase/failure"))
    assert int(str(one.get("errors"))) == len(one.findall("testcase/error"))
    return one


def cases(one: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {str(case.get("name")): case for case in one.findall("testcase")}


def test_every_lead_is_a_case() -> None:
    one = suite(result(by_lead=[outcome(), outcome(lead="v1")]))
    assert list(cases(one)) == ["record 181, lead ii", "record 181, lead v1", "the whole test"]
    assert (one.get("failures"), one.get("errors")) == ("0", "0")
    assert one.get("timestamp") == "2026-01-31T10:15:00"


def test_a_lead_that_differs_fails_with_the_place_of_the_byte() -> None:
    found = result(verdict="fail", mismatches=[MISMATCH], by_lead=[outcome(mismatched_bytes=9), outcome(lead="v1")])
    failed = cases(suite(found))["record 181, lead ii"].find("failure")
    assert failed is not None
    assert failed.get("message") == "9 of 6,200 bytes differ"
    for told in ("frame 1", "layer 2 CONV_2D", "byte 17", "Python 0x7f", "device –", "vectors/x.npz"):
        assert told in str(failed.text)


def test_a_lead_whose_details_were_not_kept_fails_all_the_same() -> None:
    one = suite(result(verdict="fail", by_lead=[outcome(mismatched_bytes=1)]))
    assert one.get("failures") == "1"


def test_a_lead_that_differs_and_did_not_come_to_its_end_is_a_case() -> None:
    found = result(verdict="fail", mismatches=[MISMATCH], by_lead=[], error="The device does not answer.")
    assert cases(suite(found))["record 181, lead ii"].find("failure") is not None


def test_what_the_device_tells_of_itself_fails_the_whole() -> None:
    told = MISMATCH.model_copy(update={"record": 0, "lead": "-", "compared": "HELLO", "stage": "HELLO: macs is 1"})
    failed = cases(suite(result(verdict="fail", mismatches=[told])))["the whole test"].find("failure")
    assert failed is not None
    assert "macs is 1" in str(failed.text)


def test_a_test_that_did_not_reach_its_end_is_an_error() -> None:
    one = suite(result(verdict="incomplete", error="Interrupted."))
    error = cases(one)["the whole test"].find("error")
    assert error is not None
    assert "Interrupted." in str(error.get("message"))


def test_inputs_of_a_model_that_does_not_segment_are_cases() -> None:
    differs = MISMATCH.model_copy(update={"record": 7, "lead": "-"})
    leads = [outcome(record=7, label="7", lead="-", mismatched_bytes=9)]
    one = suite(result(source="random", verdict="fail", mismatches=[differs], by_lead=leads))
    assert cases(one)["record 7, lead -"].find("failure") is not None
    assert cases(one)["the whole test"].find("failure") is None


def test_a_stream_fails_where_classes_part() -> None:
    differs = StreamMismatch(record=181, lead="ii", compared="class", number=44, what="class of sample 44", offset=44)
    one = suite(stream_result(verdict="fail", mismatches=[differs], by_lead=[outcome(mismatched_bytes=1)]))
    failed = cases(one)["record 181, lead ii"].find("failure")
    assert failed is not None
    assert "byte 44" in str(failed.text)


def test_names_are_data() -> None:
    leads = [outcome(label=HOSTILE, lead=HOSTILE, mismatched_bytes=1)]
    differs = MISMATCH.model_copy(update={"lead": HOSTILE, "stage": HOSTILE, "vector": HOSTILE})
    found = result(model=HOSTILE, verdict="fail", error=HOSTILE, mismatches=[differs], by_lead=leads)
    assert any(HARM in name for name in cases(suite(found)))


def test_a_place_that_takes_no_file_is_told() -> None:
    with pytest.raises(OutputError, match="/dev/full"):
        write_junit(result(), Path("/dev/full"))
