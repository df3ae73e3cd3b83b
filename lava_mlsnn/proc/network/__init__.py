"""A whole network as one Lava Process: fused in the engine, or one Process per synapse and population."""
