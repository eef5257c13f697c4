"""The two ends of the house: readers, one file a format, and writers, one file a format."""
