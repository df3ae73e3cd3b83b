"""NIR files in and out."""
