"""[Castagnetti2025], "All in one timestep": its figures and tables."""
