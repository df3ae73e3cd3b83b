"""What every room may use and no room owns: checks of arguments, files that appear whole or not at all, units."""
