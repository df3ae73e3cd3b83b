"""Paper 002, S-ResNet: its tables and figure 3."""
