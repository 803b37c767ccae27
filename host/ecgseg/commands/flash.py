"""`invoke flash`: renders, builds, writes, checks, and says what is on the board now."""

from __future__ import annotations

from ecgseg.choices import choose
from ecgseg.devices.flash import BOARD, FlashResult, flash_image
from ecgseg.image.backends import BACKENDS, render_and_build
from ecgseg.models import find_model
from ecgseg.output import write_json
from ecgseg.terminal import console


def flash_command(
    model: str | None,
    tflite: str | None,
    backend: str = "aot",
    *,
    tflm_dir: str | None = None,
    port: str | None = None,
    serial_number: str | None = None,
    dry_run: bool = False,
    json_path: str | None = None,
) -> None:
    """`invoke flash`: renders, builds, writes, checks, and says what is on the board now."""
    choose("backend", backend, BACKENDS, "--backend")
    chosen = find_model(model, tflite)
    image = render_and_build(BOARD, chosen, backend=backend, tflm_dir=tflm_dir)
    result = flash_image(image, chosen.name, chosen.sha256, port=port, serial_number=serial_number, dry_run=dry_run)
    show(result)
    if json_path:
        write_json(result, json_path)


def show(result: FlashResult) -> None:
    """Prints what is on the board now, or what a dry run would have run."""
    if result.dry_run:
        console.print("Nothing is written. This would be run:", highlight=False)
        console.print(" ".join(result.command), markup=False, highlight=False, soft_wrap=True)
        console.print("with this SCRIPT:", highlight=False)
        console.print(result.script.rstrip(), markup=False, highlight=False, soft_wrap=True)
        console.print(f"Image SHA-256 {result.image_sha256}", highlight=False, soft_wrap=True)
        return
    clock = (result.core_hz or 0) / 1e6
    console.print(
        f"[green]On the board now[/green]: {result.model} (SHA-256 {result.model_sha256[:16]}...), "
        f"build {result.build_id}, {clock:.0f} MHz, answering on {result.port}.",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"Image SHA-256 {result.image_sha256}", highlight=False, soft_wrap=True)
