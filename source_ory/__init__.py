"""source-ory: the streams in Airbyte's protocol. Reading, pacing and types are `ory_reader`'s."""
