"""Fuzzers against a running platform: wrong messages, wrong HTTP, wrong event files, for as long as one likes."""
