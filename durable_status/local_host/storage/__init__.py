"""Storage providers of the local host, behind one contract (`provider`)."""
