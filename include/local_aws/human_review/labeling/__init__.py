"""Ground Truth labeling jobs: a manifest of images, shown to workers one by one, and written again with labels."""
