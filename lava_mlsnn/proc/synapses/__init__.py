"""Synapses: Lava's own where they compute the same integers, and one Process for all other kinds of a NetGraph."""
