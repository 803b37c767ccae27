"""A .tflite file as a network of checked layers, and two oracles that compute it: numpy and TensorFlow Lite Micro."""
