"""[Yao2023], dilated windows at one timestep: its figures and tables."""
