"""How far the calibrated filter and the audit can be trusted, on data where the truth is known.

False negatives against fixed rules, whether a rate is kept, and how often the audit's intervals hold.
"""
