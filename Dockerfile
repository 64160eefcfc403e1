# All commands in one image. From the top of this repository:
#   docker build -t tap-ory:0.2.0 .
#   docker run --rm --read-only --tmpfs /tmp --env-file ory.env tap-ory:0.2.0 tap-ory --check
# The same as Airbyte runs it, with source-ory as what it starts:
#   docker build --target source-ory -t source-ory:0.2.0 .
FROM python:3.11.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY . .
# uv is itself installed by hash, from its own lines of constraints.txt; it takes all else from there, by hash too.
RUN awk '/^uv==/ { own = 1; print; next } /^[^ ]/ { own = 0 } own' constraints.txt > uv.txt \
    && pip install --require-hashes -r uv.txt \
    && python -m venv /opt/tap-ory \
    && uv pip install --no-cache --compile-bytecode --python /opt/tap-ory --constraint constraints.txt \
        --build-constraint constraints.txt '.[c1-s3,c1-azure,connector,otel]' \
    && install -m 755 deploy/nightly /opt/tap-ory/bin/nightly \
    && mkdir /opt/tap-ory/data

FROM python:3.11.13-slim-bookworm AS commands
COPY --from=build /opt/tap-ory /opt/tap-ory
# A new volume there belongs to the user. Nothing is written but to it and to /tmp.
COPY --from=build --chown=1000:1000 /opt/tap-ory/data /data
ENV PATH="/opt/tap-ory/bin:$PATH" HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# A number, so that a cluster which allows no root can see that it is none.
USER 1000:1000

FROM commands AS source-ory
ENV AIRBYTE_ENTRYPOINT="/opt/tap-ory/bin/source-ory"
LABEL io.airbyte.name="airbyte/source-ory" io.airbyte.version="0.2.0"
ENTRYPOINT ["/opt/tap-ory/bin/source-ory"]

FROM commands
CMD ["tap-ory", "--help"]
