"""What happens to every call, whatever it came by: who calls, may they, how often, within which bounds, how long."""
