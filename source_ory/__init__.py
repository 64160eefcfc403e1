"""source-ory: the streams of tap-ory in Airbyte's protocol. Reading, pacing and types are the tap's."""
