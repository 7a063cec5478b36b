"""The files in deploy/, checked offline: what they say is so, and others' validators take them."""
