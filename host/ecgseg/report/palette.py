"""The colours of pages and pictures, each of them once: style.css.j2 makes them variables, pictures are drawn light."""

from __future__ import annotations

LIGHT = {
    "page": "#f6f7f9",
    "card": "#ffffff",
    "ink": "#16202c",
    "soft": "#5a6675",
    "line": "#dfe4ea",
    "accent": "#0072b2",
    "on-accent": "#ffffff",
    "grid": "#f3e4e4",
    "grid-major": "#e8cccc",
    "track": "#eef1f4",
    "hatch": "#c9d1da",
    "pwave": "#0072b2",
    "qrs": "#c8500a",
    "twave": "#00785a",
    "on-wave": "#ffffff",
    "good": "#0b6e4f",
    "good-soft": "#e2f4ec",
    "bad": "#b3261e",
    "bad-soft": "#fce8e6",
    "open": "#8a5a00",
    "open-soft": "#fdf1d8",
    "scratch": "#9a9a9a",
    # A qualitative palette that is told apart in grey and by colour-blind readers (Okabe and Ito).
    "buffer-0": "#0072b2",
    "buffer-1": "#e69f00",
    "buffer-2": "#009e73",
    "buffer-3": "#cc79a7",
    "buffer-4": "#56b4e9",
    "buffer-5": "#d55e00",
    "buffer-6": "#f0e442",
}
BUFFERS = sum(name.startswith("buffer-") for name in LIGHT)

# Where a page in the dark differs.
DARK = {
    "page": "#0f141a",
    "card": "#171e27",
    "ink": "#e8edf2",
    "soft": "#9aa7b5",
    "line": "#2a3441",
    "accent": "#56b4e9",
    "on-accent": "#0f141a",
    "grid": "#222a33",
    "grid-major": "#313b47",
    "track": "#212a35",
    "hatch": "#3a4655",
    "pwave": "#56b4e9",
    "qrs": "#f0893e",
    "twave": "#2fc497",
    "on-wave": "#0f141a",
    "good": "#5cd6a6",
    "good-soft": "#12332a",
    "bad": "#ff8a80",
    "bad-soft": "#3c1714",
    "open": "#f2c46d",
    "open-soft": "#3a2c0c",
    "scratch": "#7d8791",
}
