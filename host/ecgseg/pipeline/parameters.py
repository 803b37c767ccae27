"""The numbers of the preprocessor and of the segment rules: everything that Python uses and C is rendered from."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecgseg.errors import UsageError
from ecgseg.graph.ends import Ends
from ecgseg.pipeline.rates import DEFAULT_INPUT_RATE, MODEL_RATE, RATES_TOLD, Resampling, takes_rate

FRAME_LENGTH = 250
# Running normalisation of a stream: over the last so many valid samples, from so many on, forgotten after a gap of so
# many. 2.5 s hold a beat at 30 a minute, half a second holds the QRS of most; what a lead shows after a second without
# contact is another signal.
RUNNING_WINDOW = 250
RUNNING_LEAST = 50
RUNNING_GAP = 100
LEAD_OFF = -32768
RAIL = 32767
UNANNOTATED = 255


@dataclass(frozen=True)
class SegmentRules:
    """Rules that turn a class mask into segments; lengths in samples at 100 Hz.

    Attributes:
        min_length: shortest run kept, one entry per class (entry 0, NONE, is not used).
        max_gap: two runs of one class with at most this many NONE samples between them become one.
    """

    min_length: tuple[int, ...]
    max_gap: int = 5

    @staticmethod
    def for_classes(class_count: int) -> SegmentRules:
        """Rules of the zoo for 2 (NONE, QRS) or 4 (NONE, PWAVE, QRS, TWAVE) classes; length 5 for any other count.

        50 ms for P and QRS and 70 ms for T are shorter than any wave of an adult; of such settings, these and the gap
        of 50 ms have the highest mean F1 of onsets and offsets on LUDB's validation patients
        (`python tools/choose_segment_rules.py`).
        """
        if class_count == 4:
            return SegmentRules((0, 5, 5, 7))
        return SegmentRules((0, *([5] * (class_count - 1))))


@dataclass(frozen=True)
class PreprocessParameters:
    """Parameters of the preprocessor (docs/architecture.md, section 3).

    Attributes:
        input_rate: raw rate in Hz, one that `takes_rate`.
        frame_length: samples of a frame at 100 Hz.
        hop: new samples at 100 Hz from one frame to the next, 1..frame_length.
        flat_uv: a frame whose standard deviation is below this many microvolts is FLAT.
        scale, zero_point: quantisation of the model's int8 input.
        rules: segment rules; None for a model that is no segmenter.
    """

    input_rate: int = DEFAULT_INPUT_RATE
    frame_length: int = FRAME_LENGTH
    hop: int = FRAME_LENGTH
    flat_uv: int = 4
    scale: float = 1.0 / 32
    zero_point: int = 0
    rules: SegmentRules = field(default_factory=lambda: SegmentRules.for_classes(4))

    @staticmethod
    def for_segmenter(
        frame_length: int, class_count: int, scale: float, zero_point: int, input_rate: int = DEFAULT_INPUT_RATE
    ) -> PreprocessParameters:
        """Parameters of the preprocessor that feeds a segmenter: frames one after the other, the zoo's rules.

        Args:
            frame_length, class_count: of the model's output [1, frame_length, class_count].
            scale, zero_point: quantisation of the model's int8 input.
            input_rate: raw rate in Hz.

        Raises:
            UsageError: one of the numbers is out of range.
        """
        return PreprocessParameters(
            input_rate=input_rate,
            frame_length=frame_length,
            hop=frame_length,
            scale=scale,
            zero_point=zero_point,
            rules=SegmentRules.for_classes(class_count),
        )

    @staticmethod
    def for_model(model: Ends, input_rate: int = DEFAULT_INPUT_RATE) -> PreprocessParameters | None:
        """Parameters of the preprocessor that feeds a model; None for one that is no segmenter.

        Raises:
            UsageError: the preprocessor does not take the input rate or the input's quantisation.
        """
        frame_length, class_count = model.segmenter_shape
        if not class_count:
            return None
        source = model.input
        return PreprocessParameters.for_segmenter(
            frame_length, class_count, float(source.scale), source.zero_point, input_rate
        )

    def __post_init__(self) -> None:
        if not takes_rate(self.input_rate):
            raise UsageError(
                f"An input rate of {self.input_rate} Hz is not supported.",
                f"The preprocessor makes 100 Hz of {RATES_TOLD}.",
                "Use one of these.",
            )
        # n * x - sum has to fit the 24 bits of a float32 for its conversion to be exact.
        if not 2 <= self.frame_length <= 256:
            raise UsageError(
                f"A frame of {self.frame_length} samples is not supported by the preprocessor.",
                "The normalisation is exact only while frame length * 65534 fits 24 bits.",
                "Use a model with 2 to 256 input samples, or feed it directly (INFER).",
            )
        if not 1 <= self.hop <= self.frame_length:
            raise UsageError(f"A hop of {self.hop} samples is not supported.", "", "Use 1 to the frame length.")
        if self.hop * self.input_rate < MODEL_RATE:
            raise UsageError(
                f"A hop of {self.hop} samples is not supported at {self.input_rate} Hz.",
                "One raw sample would complete two frames.",
                "Use a hop of 2.",
            )
        # Rounding by adding 1.5 * 2^23 needs |x| < 2^22; a normalised sample is below sqrt(256) = 16.
        if not self.scale > 1e-5 or not -128 <= self.zero_point <= 127:
            raise UsageError(
                f"Input quantisation scale {self.scale}, zero point {self.zero_point} is not usable.",
                "The scale must be above 1e-5 and the zero point an int8.",
                "Check the model's input quantisation.",
            )

    @property
    def resampling(self) -> Resampling:
        """The filter from the input rate to 100 Hz."""
        return Resampling(self.input_rate)

    @property
    def factor(self) -> int:
        """Raw samples after which the filter's phases begin anew, as HELLO tells; of 500 Hz five."""
        return self.resampling.factor

    @property
    def delay(self) -> int:
        """Raw samples from the middle of the filter to its end: how far the output lags the input."""
        return self.resampling.delay

    def samples_of(self, raw_samples: int) -> int:
        """Samples at 100 Hz of a record of so many raw samples."""
        return self.resampling.outputs_of(raw_samples)
