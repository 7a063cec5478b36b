"""Work nobody waits for. Promises that it happens, at least once, and that repeating it harms nothing."""
