"""What feeds, delays, adapts, watches and records spikes."""
