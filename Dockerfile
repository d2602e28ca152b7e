# Two images from one file:
#   docker build --target server  -t wronglung/server .     serves the models: gateway, TorchServe, Java, torch
#   docker build --target harness -t wronglung/harness .    evaluates a server from outside: no torch, no Java
# --build-arg TORCH_INDEX=<URL of a wheel index> chooses another build of torch, e.g. one without CUDA (README).

FROM python:3.11-slim-bookworm AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 10001 wronglung \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin wronglung
WORKDIR /opt/wronglung

# What the packages need is installed from their names and pins alone, so that a change of code does not repeat it.
FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python3 -m venv /opt/venv
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY wronglung/__init__.py wronglung/

FROM build AS build-harness
RUN pip install --constraint constraints.txt '.[harness]'
COPY wronglung wronglung
COPY harness harness
RUN pip install --no-deps --force-reinstall .

FROM build AS build-server
ARG TORCH_INDEX=
RUN pip install --constraint constraints.txt ${TORCH_INDEX:+--no-deps --index-url "$TORCH_INDEX"} torch \
 && pip install --constraint constraints.txt '.[serve,trace]'
COPY wronglung wronglung
COPY harness harness
RUN pip install --no-deps --force-reinstall .

FROM base AS harness
COPY --from=build-harness /opt/venv /opt/venv
COPY harness/runs harness/runs
COPY harness/gates harness/gates
# A named volume that is mounted here starts with this owner.
RUN install -d -o 10001 -g 10001 /results
USER 10001:10001
ENTRYPOINT ["harness"]
CMD ["--help"]

FROM base AS server
ENV WRONGLUNG_HOME=/opt/wronglung
COPY --from=build-server /opt/venv /opt/venv
# Readable by the user below, whatever the umask of the checkout was.
COPY --chmod=0755 deploy/torchserve deploy/torchserve
COPY --chmod=0755 handlers handlers
COPY --chmod=0755 model_store model_store
USER 10001:10001
EXPOSE 8500 8502
# The gateway is healthy when it answers; Kubernetes asks its gRPC health service per model instead.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 CMD ["wronglung", "models"]
ENTRYPOINT ["wronglung"]
# Refuses to start until it is said who may call: --tls-cert, --tls-key and --tokens, or --insecure (docs/operations.md).
CMD ["serve", "--models", "encoder", "encoder-optout", "wronglung-1", "--host=0.0.0.0", "--port=8500", "--metrics-host=0.0.0.0", "--metrics-port=8502", "--connection-age=600"]
