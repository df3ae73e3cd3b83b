"""The NetGraph, the integer network that every engine computes, and everything that is known of its parts."""
