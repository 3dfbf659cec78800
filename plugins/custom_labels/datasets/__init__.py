"""What there is to learn from: images, labels, checks, split, snapshot and manifests."""
