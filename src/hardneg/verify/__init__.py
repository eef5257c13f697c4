"""Verification: is this one and the same? Faces, voices and other identities; keywords in long recordings.

Arrays in, arrays out.
"""
