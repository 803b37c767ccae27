"""A model over TensorFlow Lite Micro is counted by the program that counts generated C, when a tree is there."""

from __future__ import annotations

import os

import pytest

from ecgseg.image.tflm import find_tree
from ecgseg.models import find_model
from ecgseg.profile import profile_model
from ecgseg.profile.tflm import GENERATED_C, Comparison, compare
from support.drivers import HAS_QEMU

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(not HAS_QEMU, reason="needs qemu-system-arm and arm-none-eabi-gcc"),
    pytest.mark.skipif(
        not os.environ.get("TFLM_DIR"), reason="needs a TensorFlow Lite Micro tree (TFLM_DIR; docs/tflm.md)"
    ),
]
NAME = "seg-2-tcn-sm"


@pytest.fixture(scope="module")
def counted() -> Comparison:
    return compare(find_model(NAME), find_tree(None))


def test_generated_c_is_counted_as_without_a_tree(counted: Comparison) -> None:
    way, alone = counted.way(GENERATED_C), profile_model(find_model(NAME).path, NAME)
    assert way.instructions_per_frame == alone.instructions_per_frame
    assert (way.arena_bytes, way.stack_bytes) == (alone.arena_bytes, alone.stack_bytes)
    assert way.image_bytes > alone.flash_bytes


def test_what_tensorflow_lite_micro_takes_is_counted(counted: Comparison) -> None:
    ours, *others = counted.ways
    assert others
    for way in others:
        assert counted.ratio(way) > 1
        assert way.arena_bytes % 16 == 0
        assert way.arena_bytes > ours.arena_bytes
        # The .tflite and the kernels of its operators are in it.
        assert way.image_bytes > ours.image_bytes + len(find_model(NAME).data)
        assert way.stack_bytes > ours.stack_bytes


def test_cmsis_nn_takes_fewer_instructions_than_the_reference_kernels(counted: Comparison) -> None:
    kernels = {way.name: way.instructions_per_frame for way in counted.ways[1:]}
    if len(kernels) < 2:
        pytest.skip("the tree has one library for Arm alone")
    assert kernels["CMSIS-NN"] < kernels["reference"]


def test_counting_twice_gives_the_same_numbers(counted: Comparison) -> None:
    assert compare(find_model(NAME), find_tree(None)) == counted
