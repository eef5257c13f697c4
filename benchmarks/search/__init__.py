"""The search engines and their peers: rate, labels, memory, recall against time, growth, graphics cards.

``python -m benchmarks.search --help`` says how each part is run.
"""
