"""Writes what was found in a recording for other programs: WFDB annotations and tables."""
