"""Airflow building blocks that keep an Amazon Rekognition Custom Labels model improving by itself."""
