"""Populations of neurons: one Process for all kinds of a NetGraph, and Lava's own where those compute the same."""
