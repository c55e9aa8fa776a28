"""Lets `python -m durable_status` do what the `durable-status` command does."""

from durable_status.cli.main import main

main()
