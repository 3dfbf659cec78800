"""SageMaker Ground Truth as a review backend."""
