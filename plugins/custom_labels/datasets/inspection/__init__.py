"""Looking into the training data before it is paid for: near duplicates, doubtful labels, sizes."""
