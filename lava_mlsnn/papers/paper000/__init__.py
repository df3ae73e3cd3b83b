"""Paper 000, "All in one timestep": its figures and tables."""
