"""Keeps what each test leaves in a folder of its own, lists these, and tells what changed from one to another."""
