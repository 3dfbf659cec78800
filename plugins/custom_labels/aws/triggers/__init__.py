"""Triggers of the deferrable operators and sensors."""
