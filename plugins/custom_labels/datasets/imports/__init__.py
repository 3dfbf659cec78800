"""Ways in: annotated images of other places and in other formats, as the data of a project; one module a format."""
