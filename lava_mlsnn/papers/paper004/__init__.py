"""Paper 004, dilated windows at one timestep: its figures and tables."""
