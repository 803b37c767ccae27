"""Chromium without a window, for tests that look at a page as a reader's browser does. It reaches nothing but loopback.

The fixture `chromium` is known everywhere: it opens Debian's browser once for all tests of a process, and skips a test
where the browser, its driver or the extra `browser` is missing. Where CI is "true" a test fails instead, lest one that
nobody ran counts as passed.
"""

from __future__ import annotations

import importlib.resources
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # It refuses to run as root with one, as continuous integration does.
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
INSTALL = "make setup EXTRAS=dev,browser installs what is missing"
WIDE, PHONE = 1400, 390
"""Widths of a window in CSS pixels: on a desk and on a phone."""


def missing(what: str) -> NoReturn:
    """Skips the test that runs, or fails it where CI runs."""
    reason = f"{what}: {INSTALL}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The one browser of this process; tests take `chromium`, which begins on an empty page."""
    try:
        from selenium import webdriver
    except ModuleNotFoundError:
        missing("selenium is not installed")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        missing("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = str(browser)
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # A driver that is named keeps selenium from looking for one in the network.
    window = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=str(driver)))
    window.set_script_timeout(60)
    yield window
    window.quit()


@pytest.fixture
def chromium(chromium_process: Chrome) -> Chrome:
    """A browser with an empty page, light, wide, on a screen, whose console is empty."""
    chromium_process.get("about:blank")
    show_as(chromium_process)
    chromium_process.get_log("browser")
    return chromium_process


def show_as(window: Chrome, width: int = WIDE, height: int = 900, *, dark: bool = False, media: str = "") -> None:
    """Sets the size of what is seen, the colours that a reader asks for, and the medium ("print" or the screen)."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    colours = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    calm = {"name": "prefers-reduced-motion", "value": "reduce"}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [colours, calm]})


def open_file(window: Chrome, path: Path) -> None:
    """Opens a page that lies in a file, as one who was sent it does."""
    window.get(path.resolve().as_uri())


def complaints(window: Chrome) -> list[str]:
    """What the console said since it was last asked, but what is no warning or error."""
    return [entry["message"] for entry in window.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]


def overflow(window: Chrome) -> int:
    """By how many pixels the page is wider than the window, so that it must be pushed sideways to be read."""
    return int(window.execute_script("const d = document.documentElement; return d.scrollWidth - d.clientWidth"))


def barriers(window: Chrome) -> list[str]:
    """What axe-core finds serious or critical on the page for those who cannot see or point: rule, why and where."""
    try:
        source = importlib.resources.files("selenium_axe_python").joinpath("axe-core", "axe.min.js")
    except ModuleNotFoundError:
        missing("selenium-axe-python is not installed")
    window.execute_script(source.read_text(encoding="utf-8"))
    found: dict[str, Any] = window.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {resultTypes: ['violations']}).then(done, e => done({error: '' + e}))"
    )
    assert "error" not in found, found["error"]
    return [
        f"{rule['id']}: {rule['help']}: {node['target']} {node['html'][:160]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
