"""ecgseg: ECG segmentation models from training to a microcontroller, proven byte for byte."""

__version__ = "0.1.0"
