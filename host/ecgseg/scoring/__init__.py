"""Judges what was found in records against their annotation; prints nothing and draws nothing."""
