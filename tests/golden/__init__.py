"""What earlier versions stored, and what they answered: read by tests for ever, and never changed.

A folder a version. `python -m tests.golden.make VERSION` writes one, with the code as it is then.
"""
