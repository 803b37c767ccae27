"""The code generator: a network of checked layers to C, with its memory plan and the preprocessor's numbers."""
