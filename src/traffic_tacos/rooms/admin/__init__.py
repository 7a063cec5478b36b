"""The operator's desk. Promises true figures."""
