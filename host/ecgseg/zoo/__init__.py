"""Makes models: configuration, training, quantisation, cross-validation, and the figures beside them."""

import os

# Here, because it has to stand before any module of this room imports TensorFlow: one thread is fastest for
# XLA's matrix products at these sizes. Its own lines would stand in front of the messages; what matters of them comes
# as an exception.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
