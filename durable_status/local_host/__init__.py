"""Runs a Durable Functions app on one machine, for development, tests and CI; never deployed."""
