"""Objects in S3: compare-and-set, fast listing, JSON Lines and their errors."""
