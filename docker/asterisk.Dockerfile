# A demo Asterisk with our dialplan and settings, and the phones and the daemon to play the demo's scenes on it.
# From the top folder: docker build -f docker/asterisk.Dockerfile .
ARG BASE=debian:forky-slim
FROM ${BASE}

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        asterisk asterisk-core-sounds-en-wav asterisk-modules asterisk-moh-opsound-wav \
        ca-certificates iproute2 procps python3 python3-venv tcpdump \
    && rm -rf /var/lib/apt/lists/*

COPY setup.cfg pyproject.toml README.md LICENSE /opt/asterisk-warm/
COPY .ci/constraints.txt /opt/asterisk-warm/.ci/
COPY config /opt/asterisk-warm/config
COPY dialplan /opt/asterisk-warm/dialplan
COPY asterisk_warm /opt/asterisk-warm/asterisk_warm
# In place, as in a checkout: the demo's Asterisk is given the dialplan and settings of these folders.
WORKDIR /opt/asterisk-warm
# --no-compile: a demo runs a few times at most, and compiles what it uses.
RUN python3 -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --no-compile -c .ci/constraints.txt -e ".[lab]"
ENV PATH=/opt/asterisk-warm/.venv/bin:$PATH

WORKDIR /demo
CMD ["asterisk-warm", "demo"]
