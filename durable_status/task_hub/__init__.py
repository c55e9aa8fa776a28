"""The format of a task hub in Azure Storage: names, rows, messages and blobs as the durable extension stores them.

Pure: values in, values out; no storage client, clock or randomness. Ids, times and random parts come from the caller.
It imports the root modules only, so that a deployed client can read a hub without the replay core. Events are therefore
the mappings that `durable_status.replay.event_json` reads and writes (*members*: the wire's names and forms), never its
event classes; the host and the harness put the two together.

- `names`: tables, queues, containers, keys; which control queue an instance has.
- `tables`: rows as values, and their typed JSON.
- `filters`: which rows to ask for.
- `history`: rows of the History table and members of events; checkpoints in batches.
- `instances`: rows of the Instances table; what an episode writes there.
- `large_values`: what goes to a blob instead, and under which name.
- `messages`: what the queues carry.
- `connection`: where the storage account is, from an app's settings.
- `ownership`: the blobs and rows that say which host reads which queue.
"""
