"""The line. Promises that the order of joining is the order of admission, and that a place never rises.

The way of a call: `rpc` -> `service` (a fan's verbs) or `operating` (an operator's) -> `lines` (which line)
-> `embedded` (what must last) -> `model` (the rules, over `ended`, `pacing`, `sightings` and `draw`).
Streams are `watchers`, and what they hear is `news`.
"""
