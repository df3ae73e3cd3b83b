"""Paper 003, "Trainable quantization": its figures and tables."""
