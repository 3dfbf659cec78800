"""Writes what a snapshot of a project holds to a file that other programs read."""
