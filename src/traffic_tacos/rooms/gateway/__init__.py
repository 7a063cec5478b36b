"""The fan's front door. Promises that a fan sees and moves only what is theirs."""
