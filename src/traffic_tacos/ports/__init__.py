"""What rooms need from outside, as protocols with their promises."""
