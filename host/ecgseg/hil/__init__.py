"""Streams ECG to a device, compares every byte that it answers with Python, and judges; prints and draws nothing."""
