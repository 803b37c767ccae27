"""Renders the preprocessor's parameters into C."""

from __future__ import annotations

import numpy as np

from ecgseg.pipeline.parameters import RUNNING_GAP, RUNNING_LEAST, RUNNING_WINDOW, PreprocessParameters
from ecgseg.pipeline.rules import BEAT_RULES
from ecgseg.templating import render_template

# Shared with firmware/pipeline/include/ecgseg_preprocess.h: a header rendered for another definition does not compile.
PREPROCESS_VERSION = 3


def render_c_header(parameters: PreprocessParameters, banner: str) -> str:
    """C header `ecgseg_preprocess_params.h` with the stream's numbers, which all models of an image share.

    Scale, zero point and segment rules are the model's and are rendered with it.

    Args:
        parameters: the parameters.
        banner: text of the opening comment, without comment marks.

    Returns:
        C11 source text; the same parameters give the same bytes.
    """
    taps = parameters.resampling.taps
    # The dual multiply-accumulate eats taps in pairs; a leading zero keeps the newest sample last.
    taps = np.pad(taps, ((0, 0), (taps.shape[1] % 2, 0)))
    return render_template(
        "codegen",
        "ecgseg_preprocess_params.h.j2",
        banner=banner,
        version=PREPROCESS_VERSION,
        p=parameters,
        rules=BEAT_RULES,
        taps=taps.ravel().tolist(),
        tap_count=taps.shape[1],
        running={"window": RUNNING_WINDOW, "least": RUNNING_LEAST, "gap": RUNNING_GAP},
    )
