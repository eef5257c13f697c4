"""How far the calibrated filter can be trusted: false negatives against fixed rules, and whether a rate is kept."""
