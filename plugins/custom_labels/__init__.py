"""Airflow building blocks that keep an Amazon Rekognition Custom Labels model improving by itself."""

__version__ = "0.2.0"
"""The package's version; it stands nowhere else, and is that of the newest release in CHANGELOG.md."""
