"""Sensors on the status of Custom Labels datasets and model versions."""
