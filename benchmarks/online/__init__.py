"""Online mining beside its peers: what it costs, what it takes for negatives, and what training on that brings."""
