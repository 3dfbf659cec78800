"""What people say about an image: its labels, or boxes with labels, as lines of JSON; one module a kind of line."""
