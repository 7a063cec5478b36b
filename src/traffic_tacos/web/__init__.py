"""Pages for people, and the data they are made of. They show what they are given, and decide nothing."""
