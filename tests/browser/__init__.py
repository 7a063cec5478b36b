"""The pages in a real browser, from the queue to the order."""
