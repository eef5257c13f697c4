"""Did mining help? Measured on real data."""
