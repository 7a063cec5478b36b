"""What a person sees: templates and styles. They show what they are given, and decide nothing."""
