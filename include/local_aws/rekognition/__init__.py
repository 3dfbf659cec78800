"""Rekognition Custom Labels: projects, datasets, model versions, project policies, tags and detection."""
