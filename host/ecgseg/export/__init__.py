"""Writes a model and what runs it as a C library for other firmware: sources, test, figures, build files.

A library is put together from texts: the model is rendered (`subject`), the parts of the firmware that it needs are
found (`parts`), a facade with one public header is rendered around them, and every name gets the library's prefix
(`prefix`). What it costs is counted on the finished sources (`figures`), what its test expects is computed by the
device's twins (`vectors`). `library` puts the texts together, `folder` writes them.
"""
