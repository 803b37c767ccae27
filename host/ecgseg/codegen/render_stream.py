"""Renders a .tflite into C that runs as a stream: each layer computes only what is new."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecgseg import __version__
from ecgseg.codegen.manifest import STREAM_FILE, BufferEntry, KeptEntry, StreamLayerEntry, StreamManifest
from ecgseg.codegen.names import DEFAULT_PREFIX, ModelNames
from ecgseg.codegen.render import GENERATOR, banner_of, engine_version
from ecgseg.codegen.stream_program import Place, StreamCall, StreamProgram, compile_stream
from ecgseg.codegen.text import CallText, c_struct
from ecgseg.graph.ir import Graph
from ecgseg.graph.load import load_tflite
from ecgseg.graph.stream import Left, Store, Stream
from ecgseg.graph.streaming import BLOCK, stream_of
from ecgseg.output import write_files
from ecgseg.pipeline.faint import faint_margin
from ecgseg.pipeline.reported import CLASSES_OF_BEATS
from ecgseg.templating import render_template


def render_stream(
    tflite: Path | bytes, out_dir: Path, *, name: str | None = None, block: int = BLOCK, prefix: str = DEFAULT_PREFIX
) -> StreamManifest:
    """Render a model as a stream.

    Args:
        tflite: file or bytes of an int8 .tflite, exported at any length.
        out_dir: folder for <prefix>_stream_model.c, <prefix>_stream_model.h and stream.json.
        name: of the model in the firmware; by default the file's or its folder's.
        block: input rows that are computed at a time, at least.
        prefix: C identifier that the stream's names open with.

    Returns:
        The manifest, as written.

    Raises:
        GraphError: the model is damaged, not supported, or cannot run as a stream.
        UsageError: the prefix is no C identifier.
        OutputError: a file cannot be written.
    """
    names = ModelNames(prefix)
    graph = load_tflite(tflite, name)
    program = compile_stream(stream_of(graph, block))
    manifest = _manifest(graph, program)
    banner = banner_of(manifest)
    files = {
        names.stream_header: render_template(
            "codegen", "ecgseg_stream_model.h.j2", banner=banner, names=names, m=manifest
        ),
        names.stream_source: render_template(
            "codegen", "ecgseg_stream_model.c.j2", banner=banner, names=names, m=manifest, **_texts(program)
        ),
        STREAM_FILE: manifest.model_dump_json(indent=2) + "\n",
    }
    write_files(out_dir, files)
    return manifest


def end_answers(stream: Stream) -> int:
    """The most answers that the end of a record gives."""
    most = 0
    for waiting in range(0, stream.block, stream.granule):
        left = {stream.input.tensor: waiting}
        for index, store in stream.stores.items():
            if store.left is not None:
                left[index] = store.left.of(left[store.left.store])
        most = max(most, stream.left.of(left[stream.left.store]))
    return most


def head_blocks(stream: Stream) -> int:
    """Blocks after which no row is before the record any more."""
    lags = [-(-store.lag // store.rows) for store in stream.stores.values()]
    return max([-(-stream.lag // stream.rows), *lags])


def _manifest(graph: Graph, program: StreamProgram) -> StreamManifest:
    stream = program.stream
    network = stream.network
    return StreamManifest(
        generator=GENERATOR,
        generator_version=__version__,
        engine_version=engine_version(),
        model=graph.name,
        sha256=graph.sha256,
        input_row_bytes=stream.input.row_bytes,
        output_row_bytes=stream.row_bytes,
        input_scale=float(network.input.scale),
        input_zero_point=network.input.zero_point,
        output_scale=float(network.output.scale),
        output_zero_point=network.output.zero_point,
        faint_margin=faint_margin(graph) if stream.row_bytes == CLASSES_OF_BEATS else 0,
        block=stream.block,
        block_answers=stream.rows,
        lag=stream.lag,
        end_answers=end_answers(stream),
        least=stream.least,
        granule=stream.granule,
        parameters=graph.parameter_count,
        state_bytes=program.state_bytes,
        arena_bytes=program.memory.size,
        weight_bytes=sum(call.call.kernel.constant_bytes for call in program.calls),
        macs=sum(step.layer.macs for step in stream.steps),
        layers=[_layer(stream, call) for call in program.calls],
        kept=[
            KeptEntry(
                tensor=store.tensor,
                offset=offset,
                kept_bytes=store.kept_bytes,
                new_bytes=store.new_bytes if store.tensor in program.resident else 0,
            )
            for store, offset in program.kept
        ],
        buffers=[
            BufferEntry(name=buffer.name, offset=offset, size=buffer.size, first=buffer.first, last=buffer.last)
            for buffer, offset in zip(program.buffers, program.memory.offsets, strict=True)
        ],
    )


def _layer(stream: Stream, call: StreamCall) -> StreamLayerEntry:
    layer, store = call.step.layer, stream.stores[call.step.store]
    return StreamLayerEntry(
        name=layer.name,
        operator=layer.operator,
        tensor=layer.output,
        kernel=call.call.kernel.function,
        rows=store.rows,
        row_bytes=store.row_bytes,
        lag=store.lag,
        kept_bytes=store.kept_bytes,
        in_place=call.in_place,
        macs=layer.macs,
    )


@dataclass(frozen=True)
class PadText:
    """Rows that become padding outside of the record: number of the tensor, its ecgseg_new_rows_t, where they lie."""

    number: int
    rows: str
    place: str


@dataclass(frozen=True)
class StreamCallText:
    """A layer as the template prints it.

    Attributes:
        text: constants and function.
        arguments: of the function.
        rows: of the result in a block.
        place, bytes: of the new rows.
        pad: of the result, none or one.
        carry: arguments of ecgseg_record_carry, "" when nothing of the result is carried.
    """

    text: CallText
    arguments: str
    rows: int
    place: str
    bytes: int
    pad: tuple[PadText, ...]
    carry: str


@dataclass(frozen=True)
class LeftText:
    """Number of the tensor from which it follows, and the ecgseg_left_t."""

    source: int
    values: str


@dataclass(frozen=True)
class SlideText:
    """Rows of the state: where they lie, how many bytes are kept, how many are new, what rows outside a record are."""

    offset: int
    kept: int
    new: int
    fill: int


def _texts(program: StreamProgram) -> dict[str, object]:
    """What the source's template needs besides names and manifest."""
    stream = program.stream
    numbers = {index: number for number, index in enumerate(stream.stores)}
    slides = [
        SlideText(offset, store.kept_bytes, store.new_bytes if store.tensor in program.resident else 0, store.fill)
        for store, offset in program.kept
    ]
    return {
        "calls": [_call_text(program, number, numbers) for number in range(len(program.calls))],
        "input_pad": _pad_text(program, stream.input.tensor, 0),
        "input_offset": program.new[stream.input.tensor].offset,
        "pads": any(store.padded for store in stream.stores.values()),
        "slides": [slide for slide in slides if slide.kept and slide.new],
        "fills": slides,
        "lefts": [_left_text(store.left, numbers) for store in stream.stores.values() if store.left is not None],
        "last": _left_text(stream.left, numbers),
        "rows": [store.rows for store in stream.stores.values()],
        "answer": _address(program.answer, "stream->rows.bytes", "arena->bytes"),
        "head_blocks": head_blocks(stream),
        "turns": program.turns,
    }


def _left_text(left: Left, numbers: dict[int, int]) -> LeftText:
    return LeftText(numbers[left.store], f"{{{left.factor}, {left.add}, {left.down}, {left.times}, {left.plus}}}")


def _address(place: Place, kept: str = "kept", fresh: str = "fresh") -> str:
    base = kept if place.kept else fresh
    return f"{base} + {place.offset}" if place.offset else base


def _pad_text(program: StreamProgram, tensor: int, number: int) -> tuple[PadText, ...]:
    store = program.stream.stores[tensor]
    if not store.padded:
        return ()
    rows = {"rows": store.rows, "row_bytes": store.row_bytes, "lag": store.lag, "fill": store.fill}
    return (PadText(number, f"{{{c_struct(rows)}}}", _address(program.new[tensor])),)


def _call_text(program: StreamProgram, number: int, numbers: dict[int, int]) -> StreamCallText:
    call = program.calls[number]
    store = program.stream.stores[call.step.store]
    arguments = [_address(place) for place in (*call.inputs, call.output)]
    if call.call.scratch is not None:
        arguments.append(f"arena->words + {call.call.scratch // 4}")
    if call.ring is not None:
        first = f"record->turn * {call.ring.new}u % {call.ring.rows}u"
        arguments += [_address(Place(True, call.ring.offset)), first]
    return StreamCallText(
        text=CallText.of(number, call.call, ring=call.ring is not None),
        arguments=", ".join(arguments),
        rows=store.rows,
        place=_address(call.output),
        bytes=store.new_bytes,
        pad=_pad_text(program, store.tensor, numbers[store.tensor]),
        carry=_carry_text(program, store),
    )


def _carry_text(program: StreamProgram, store: Store) -> str:
    if store.tensor not in program.carried:
        return ""
    carried = program.carried[store.tensor]
    place = _address(Place(True, carried.offset))
    return f"fresh + {carried.new}, {place}, {carried.kept_bytes}u, {store.new_bytes}u"
