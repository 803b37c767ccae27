"""Puts this folder on the import path: tests share what is in `support`."""
