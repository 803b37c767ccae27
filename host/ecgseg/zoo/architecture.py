"""The architecture of a zoo model, and what every part of a configuration has in common."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from ecgseg.pipeline import FRAME_LENGTH

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Base: no unknown keys, no change after loading.

    Attributes:
        later: fields that were not there from the beginning. They are written only where they differ from their
            default, so that older configurations keep their bytes and their digest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    later: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        said: dict[str, Any] = handler(self)
        return {
            name: value
            for name, value in said.items()
            if name not in self.later or getattr(self, name) != fields[name].default
        }


class BlockConfiguration(Strict):
    """One dilated convolution with batch normalisation (folded at export) and ReLU, with or without a skip.

    Attributes:
        ahead: in a causal architecture, how many of its input's positions it sees behind the one that it answers.
    """

    later = frozenset({"ahead"})

    kernel: Annotated[int, Field(ge=1, le=15)] = 3
    dilation: Positive = 1
    residual: bool = False
    ahead: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _sees_what_it_is_given(self) -> BlockConfiguration:
        if self.ahead > self.reach:
            raise ValueError(f"ahead must be at most (kernel - 1) * dilation, which is {self.reach}")
        return self

    @property
    def reach(self) -> int:
        """Positions from the first to the last that one answer depends on."""
        return (self.kernel - 1) * self.dilation


class ArchitectureConfiguration(Strict):
    """A strided stem, dilated blocks, and a 1x1 head whose channels are the classes of `stride` samples.

    Attributes:
        channels: width of stem and blocks.
        stem_kernel, stride: the first convolution.
        blocks: the dilated convolutions.
        causal: pads in front and, by `ahead` positions, behind, whatever the length; otherwise on both sides alike.
        stem_ahead: of a causal architecture, as `ahead` of the blocks.
    """

    later = frozenset({"causal", "stem_ahead"})

    channels: Annotated[int, Field(ge=1, le=256)]
    stem_kernel: Annotated[int, Field(ge=1, le=31)]
    stride: Literal[1, 2, 5, 10]
    blocks: tuple[BlockConfiguration, ...]
    causal: bool = False
    stem_ahead: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _hangs_together(self) -> ArchitectureConfiguration:
        if not self.blocks:
            raise ValueError("an architecture needs at least one block")
        if self.stem_ahead > self.stem_kernel - 1:
            raise ValueError(f"stem_ahead must be at most stem_kernel - 1, which is {self.stem_kernel - 1}")
        if not self.causal and (self.stem_ahead or any(block.ahead for block in self.blocks)):
            raise ValueError("only a causal architecture has a look-ahead of its own")
        return self

    def parameters(self, classes: int) -> int:
        """Weights and biases of the int8 graph, after batch normalisation is folded."""
        c = self.channels
        blocks = sum(block.kernel * c * c + c for block in self.blocks)
        return self.stem_kernel * c + c + blocks + (c + 1) * classes * self.stride

    def macs(self, classes: int, frame_length: int = FRAME_LENGTH) -> int:
        """Multiply-accumulates of the convolutions for one frame (padding counted, ADD and bias not)."""
        c = self.channels
        blocks = sum(block.kernel * c * c for block in self.blocks)
        return frame_length // self.stride * (self.stem_kernel * c + blocks + c * classes * self.stride)

    @property
    def receptive_field(self) -> int:
        """Samples at 100 Hz that one output depends on."""
        return self.stem_kernel + self.stride * sum((block.kernel - 1) * block.dilation for block in self.blocks)

    @property
    def look_ahead(self) -> int:
        """Samples at 100 Hz behind the one that is answered, the first of those that a position answers."""
        if self.causal:
            return self.stem_ahead + self.stride * sum(block.ahead for block in self.blocks)
        stem = self.stem_kernel - 1 - max(self.stem_kernel - self.stride, 0) // 2
        return stem + self.stride * sum(block.reach - block.reach // 2 for block in self.blocks)
