"""[VicenteSola2022], S-ResNet: its tables and figure 3."""
