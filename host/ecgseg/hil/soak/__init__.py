"""Sends ECG for hours, over a line that is faulty at times and to a target that restarts, and watches for drift."""
