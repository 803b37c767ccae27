"""ECG from wherever it comes, as records of one lead with what is annotated in it."""
