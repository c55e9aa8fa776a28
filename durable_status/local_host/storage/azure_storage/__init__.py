"""The Azure Storage provider: a task hub in the tables, queues and blobs of a storage account.

- `services`: one account, open.
- `tables`, `batch`: rows, and transactions of them.
- `queues`: messages.
- `endpoint`: requests to one service, tried again when it is not well; `signing`: what lets them in.
- `errors`: what callers act on.
"""
