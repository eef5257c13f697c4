"""What hardneg costs and what it finds, next to others: ``python -m benchmarks.<name> --help``."""
