"""The management API: the durable extension's HTTP routes, on the webhook and on the RPC endpoint."""
