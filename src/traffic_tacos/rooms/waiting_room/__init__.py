"""The line. Promises that the order of joining is the order of admission, and that a place never rises."""
