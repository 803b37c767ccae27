"""Makes models: configuration, training, quantisation, cross-validation, and the figures beside them."""
