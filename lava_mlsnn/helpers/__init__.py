"""Shared by all rooms: validators of arguments, atomic files, units."""
