"""Who may look: only who knows the token, and no page of another address, whatever a browser was told of names."""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b64encode
from hashlib import sha256

# Names of this computer for itself. A name that an attacker points here (DNS rebinding) is none of them. The port may
# be another one where a tunnel leads here.
_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def is_token(told: str, token: str) -> bool:
    """Compares in a time that tells nothing."""
    return hmac.compare_digest(told.encode("utf-8", "surrogateescape"), token.encode())


def is_local(host: str | None) -> bool:
    """A Host header that names this computer."""
    return host is not None and _HOST.fullmatch(host) is not None


def is_same_origin(origin: str | None, host: str | None) -> bool:
    """An Origin header that names the page itself; every browser sends one with a WebSocket."""
    return is_local(host) and origin is not None and origin.lower() == f"http://{host}".lower()


def policy(page: str) -> str:
    """A Content-Security-Policy under which a page may do what it holds, and nothing else.

    Args:
        page: HTML, with its styles and scripts inside.
    """
    hashes: dict[str, list[str]] = {"style": [], "script": []}
    for kind, text in _INLINE.findall(page):
        hashes[kind].append(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'")
    return "; ".join(
        [
            "default-src 'none'",
            *(f"{kind}-src {' '.join(found)}" for kind, found in hashes.items() if found),
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
