"""A tiny model in C for tests of the link and the app: the engine interface with arithmetic that Python can follow."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.codegen.parameters import render_c_header
from ecgseg.pipeline import FRAME_LENGTH, PreprocessParameters

NAME = "model-double"
SHA256 = hashlib.sha256(NAME.encode()).hexdigest()
CLASSES = 4

_HEADER = """#ifndef ECGSEG_MODEL_H
#define ECGSEG_MODEL_H
#define ECGSEG_MODEL_INPUT_BYTES {inputs}
#define ECGSEG_MODEL_OUTPUT_BYTES {outputs}
#define ECGSEG_MODEL_FRAME_LENGTH {frame}
#define ECGSEG_MODEL_CLASS_COUNT {classes}
#include "ecgseg_engine.h"
extern const ecgseg_model_info_t ecgseg_model_info;
extern const ecgseg_model_t ecgseg_model;
ecgseg_engine_status_t ecgseg_model_init(void);
ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output);
ecgseg_engine_status_t ecgseg_model_run_to_layer(const int8_t *input, uint16_t layer, uint32_t offset,
                                                 int8_t *destination, uint32_t count);
#endif
"""

_SOURCE = """#include "ecgseg_engine.h"
#include "ecgseg_model.h"

#define INPUTS ECGSEG_MODEL_INPUT_BYTES
#define OUTPUTS ECGSEG_MODEL_OUTPUT_BYTES
#define PER_INPUT (OUTPUTS / INPUTS)

static int8_t arena[OUTPUTS];

static const ecgseg_layer_info_t layers[] = {{
    {{.name = "ADD", .operator_index = 0, .tensor_index = 1, .bytes = INPUTS, .macs = 0}},
    {{.name = "CONV_2D", .operator_index = 1, .tensor_index = 2, .bytes = OUTPUTS, .macs = OUTPUTS}},
}};

static const uint8_t min_lengths[] = {{{min_lengths}}};

const ecgseg_model_info_t ecgseg_model_info = {{
    .engine_version = ECGSEG_ENGINE_VERSION,
    .model_name = "{name}",
    .backend = "aot",
    .model_sha256 = {{{sha}}},
    .input_bytes = INPUTS,
    .output_bytes = OUTPUTS,
    .frame_length = ECGSEG_MODEL_FRAME_LENGTH,
    .class_count = ECGSEG_MODEL_CLASS_COUNT,
    .input_scale = 0.03125f,
    .input_zero_point = -3,
    .output_scale = 0.0078125f,
    .output_zero_point = 7,
    .segment_rules = {{{max_gap}, min_lengths}},
    .arena_bytes = sizeof arena,
    .macs = OUTPUTS,
    .layer_count = 2,
    .layers = layers,
}};

ecgseg_engine_status_t ecgseg_model_init(void)
{{
    return ECGSEG_ENGINE_OK;
}}

static int8_t wrap(uint32_t value)
{{
    value &= 0xFFu;
    return (int8_t)(value < 128u ? (int32_t)value : (int32_t)value - 256);
}}

ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output)
{{
    for (uint32_t i = 0; i < OUTPUTS; i++) {{
        const uint32_t x = (uint32_t)(input[i / PER_INPUT] + 1);
        output[i] = wrap(x * (3u + 2u * (i % PER_INPUT)) + (i / PER_INPUT / 16u) * 11u * (i % PER_INPUT));
    }}
    return ECGSEG_ENGINE_OK;
}}

ecgseg_engine_status_t ecgseg_model_run_to_layer(const int8_t *input, uint16_t layer, uint32_t offset,
                                                 int8_t *destination, uint32_t count)
{{
    if (layer > 1u || offset > layers[layer].bytes || count > layers[layer].bytes - offset) {{
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }}
    for (uint32_t i = 0; i < INPUTS; i++) {{
        arena[i] = wrap((uint32_t)(input[i] + 1));
    }}
    if (layer == 1u) {{
        (void)ecgseg_model_run(input, arena);
    }}
    for (uint32_t i = 0; i < count; i++) {{
        destination[i] = arena[offset + i];
    }}
    return ECGSEG_ENGINE_OK;
}}

const ecgseg_model_t ecgseg_model = {{
    &ecgseg_model_info, ecgseg_model_init, ecgseg_model_run, ecgseg_model_run_to_layer,
}};
"""


def parameters(input_rate: int = 500, hop: int = FRAME_LENGTH) -> PreprocessParameters:
    """Preprocessor of the segmenter below."""
    return PreprocessParameters(input_rate=input_rate, hop=hop, scale=1 / 32, zero_point=-3)


def write_segmenter(folder: Path, preprocess: PreprocessParameters | None = None) -> Path:
    """Generated folder of a segmenter: 250 samples in, 250 x 4 scores out."""
    _write(folder, FRAME_LENGTH, FRAME_LENGTH * CLASSES, FRAME_LENGTH, CLASSES)
    header = render_c_header(preprocess or parameters(), "Made for a test.")
    (folder / "ecgseg_preprocess_params.h").write_text(header)
    return folder


def write_plain(folder: Path, inputs: int = 3000) -> Path:
    """Generated folder of a model that is no segmenter: one output per input."""
    _write(folder, inputs, inputs, 0, 0)
    return folder


def _write(folder: Path, inputs: int, outputs: int, frame: int, classes: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    header = _HEADER.format(inputs=inputs, outputs=outputs, frame=frame, classes=classes)
    (folder / "ecgseg_model.h").write_text(header)
    sha = ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(SHA256))
    rules = parameters().rules
    lengths = ", ".join(map(str, rules.min_length))
    source = _SOURCE.format(name=NAME, sha=sha, min_lengths=lengths, max_gap=rules.max_gap)
    (folder / "ecgseg_model.c").write_text(source)


def scores(data: npt.NDArray[np.int8], per_input: int = CLASSES) -> npt.NDArray[np.int8]:
    """What the model answers: int8 [inputs, per_input] for int8 [inputs]."""
    index = np.arange(data.size * per_input, dtype=np.int64).reshape(data.size, per_input)
    channel = index % per_input
    x = data.astype(np.int64)[:, None] + 1
    return (x * (3 + 2 * channel) + (index // per_input // 16) * 11 * channel).astype(np.int8)


def first_layer(data: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """What the model's first layer answers: int8 [inputs]."""
    return (data.astype(np.int64) + 1).astype(np.int8)
