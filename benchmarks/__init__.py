"""Measures the local host beside its peers."""
