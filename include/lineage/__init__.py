"""Looks up what every version had to do with an image, and every image of a version."""
