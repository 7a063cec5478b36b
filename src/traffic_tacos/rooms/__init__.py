"""The services, a folder each, all of one shape. They meet only through the contract."""
