"""Can the figures be trusted? An audit's intervals and the calibrated filter, held against known truth."""
