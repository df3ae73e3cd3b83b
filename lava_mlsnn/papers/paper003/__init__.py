"""[Castagnetti2023], "Trainable quantization": its figures and tables."""
