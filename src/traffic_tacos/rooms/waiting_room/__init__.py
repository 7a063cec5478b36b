"""The line. Promises that the order of joining is the order of admission, and that a place never rises.

The way of a call: `rpc` -> `service` (a fan's verbs) or `operating` (an operator's) -> `lines` (which line)
-> `line` (what every engine promises), behind which is `embedded` (what must last, over `decisions`)
-> `model` (the rules, over `admissions`, `ended`, `pacing`, `sightings` and `draw`). Reading is `view`.
Streams are `watchers`, and what they send is `news`.
"""
