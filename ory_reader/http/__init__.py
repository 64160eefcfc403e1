"""One conversation with one Ory project: client, bodies within bounds, rate limits, errors in plain words."""
