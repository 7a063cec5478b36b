"""Who owns which seat. Promises that no seat is ever sold twice, whatever repeats, races or arrives late."""
