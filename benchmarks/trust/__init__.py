"""Can the figures of an audit be trusted? Intervals held against the truth, on data where the truth is known."""
