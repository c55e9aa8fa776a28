"""The `durable-status` command."""
