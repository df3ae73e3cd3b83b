"""Paper 002, S-ResNet: its tables and figure 3. Tables 11 to 14 need other data and are not here."""
