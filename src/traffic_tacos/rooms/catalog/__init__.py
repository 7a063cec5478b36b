"""What is on sale. Promises that an event's seats and prices, once published, never change under a buyer."""
