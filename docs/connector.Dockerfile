# From the top of this repository:
#   docker build -f docs/connector.Dockerfile -t ory-connector .
#   docker run --read-only --tmpfs /tmp --env-file ory-connector.env ory-connector
FROM python:3.11.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY . .
# uv is itself installed by hash, from its own lines of constraints.txt; it takes all else from there, by hash too.
RUN awk '/^uv==/ { own = 1; print; next } /^[^ ]/ { own = 0 } own' constraints.txt > uv.txt \
    && pip install --require-hashes -r uv.txt \
    && python -m venv /opt/ory-connector \
    && uv pip install --no-cache --python /opt/ory-connector --constraint constraints.txt \
        --build-constraint constraints.txt '.[connector]'

FROM python:3.11.13-slim-bookworm
COPY --from=build /opt/ory-connector /opt/ory-connector
# A number, so that a cluster which allows no root can see that it is none.
USER 1000:1000
ENV HOME=/tmp PYTHONUNBUFFERED=1
HEALTHCHECK --interval=5m --timeout=60s CMD ["/opt/ory-connector/bin/ory-connector", "--check"]
# The form without a shell, so that SIGTERM reaches the connector.
ENTRYPOINT ["/opt/ory-connector/bin/ory-connector"]
