"""The Azure Storage provider: a task hub in the tables, queues and blobs of a storage account.

- `provider`: the `StorageProvider`; a commit as an order of steps.
- `hub`: the hub, opened or made; `ownership`: which host has it, `machine_record`: which of this machine had it,
  `other_hosts`: how the others are seen.
- `post_office`: messages on their way; `mailbox`: what is in hand of the queues; `outgoing`: what is written into them;
  `arrivals`: which of an instance's messages count.
- `live_instances`: the instances in memory; `history_table`, `instance_table`, `instance_rows`, `large_texts`: where
  they are stored.
- `services`: one account, open; `tables` and `batch`, `queues`, `blobs`: what is asked of it.
- `endpoint`: requests to one service, tried again when it is not well; `signing`: what lets them in; `refusals`: what
  their refusals mean; `together`: several at a time.
- `errors`: what callers act on.
"""
