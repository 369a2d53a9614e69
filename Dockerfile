# The image of a run: started by a schedule, it prints what is due and ends. See docs/railway.md.
#
#   docker build -t tilepress .
#   docker run --rm --read-only -v press:/work --env-file press.env tilepress
#
# Nothing is written outside /work but locks, in /dev/shm, which is memory that every container has. No volume is
# declared, as Railway builds no image that does: mount one on /work, and prepared designs are there the next night, and
# what a killed run had done.
#
# The release of Debian is pinned by name; to pin the very image, add its digest: python:3.11-slim-bookworm@sha256:…

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/tilepress

# Two things come as source: pyvips, and the program itself. What builds them is taken by the hash that developers have
# it by, and used without isolation, in which pip would fetch the newest of it, unasked and unchecked.
COPY requirements.lock requirements-dev.lock /src/
RUN sed -n '/^setuptools==/,/# via/p' /src/requirements-dev.lock > /src/build.lock
RUN python -m pip --python /opt/tilepress/bin/python install --quiet --require-hashes --only-binary :all: -r /src/build.lock

# Every package by its hash; there is no compiler here, and none is needed.
RUN python -m pip --python /opt/tilepress/bin/python install --quiet --no-compile --require-hashes --only-binary :all: --no-binary pyvips --no-build-isolation -r /src/requirements.lock

COPY pyproject.toml README.md cli.py /src/
COPY config /src/config
COPY pipeline /src/pipeline
COPY tiles /src/tiles
RUN python -m pip --python /opt/tilepress/bin/python install --quiet --no-compile --no-deps --no-index --no-build-isolation /src

# Nothing is left that can install anything. The rest is compiled ahead, as there will be nowhere to write that to, and
# trusted whatever a copy does to the times of files.
RUN python -m pip --python /opt/tilepress/bin/python uninstall --quiet --yes setuptools
RUN /opt/tilepress/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/tilepress/lib


FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 press && useradd --uid 10001 --gid press --home-dir /work --no-create-home --shell /usr/sbin/nologin press && install -d -o press -g press -m 750 /work
COPY --from=build /opt/tilepress /opt/tilepress

# Which pipeline file the image runs; Railway sets it from the service's variable of this name.
ARG TILEPRESS_PIPELINE=config/examples/nightly.yaml
COPY ${TILEPRESS_PIPELINE} /etc/tilepress/pipeline.yaml

# Threads are not set here: a run takes as many as the container's CPU quota allows, and libvips and the decoders share
# them (threads: auto). malloc keeps what threads freed in one place for each of them, so there are few such places;
# numpy's BLAS, which is never used for much, would start a thread for every CPU of the host.
ENV PATH=/opt/tilepress/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/work \
    TMPDIR=/work \
    MALLOC_ARENA_MAX=2 \
    OPENBLAS_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
WORKDIR /work
USER 10001:10001

# No image comes of it where libvips or an everyday format is missing, a package is broken, or /work cannot be written
# to: this ends with 4 then.
RUN ["tilepress", "doctor"]

# No HEALTHCHECK: nothing listens, and how the run ends is the answer.
# Without a shell in between, SIGTERM reaches the run, which then begins no further part and delivers what is done.
ENTRYPOINT ["tilepress"]
CMD ["run", "/etc/tilepress/pipeline.yaml", "--log-format", "json"]
