# syntax=docker/dockerfile:1
# Small, non-root, with a health check. Front-end libraries come from npm in a stage of their own.
FROM node:24-slim AS pages
WORKDIR /pages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

FROM python:3.11-slim AS build
WORKDIR /app
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir uv
COPY requirements.lock requirements-setup.lock ./
RUN /venv/bin/uv pip install --no-cache --compile-bytecode --require-hashes -r requirements.lock -r requirements-setup.lock
COPY pyproject.toml README.md ./
COPY gate_service gate_service
COPY devices devices
COPY lanes lanes
COPY sync sync
COPY config config
COPY --from=pages /pages/node_modules node_modules
RUN /venv/bin/python -m gate_service.web.vendor \
 && /venv/bin/uv pip install --no-cache --compile-bytecode --no-deps --no-build-isolation . \
 && /venv/bin/uv pip uninstall uv hatchling editables pathspec pluggy tomlkit trove-classifiers

FROM python:3.11-slim
COPY --from=build /venv /venv
RUN useradd --system --uid 10001 --groups dialout gate && install -d -o gate /var/lib/gate /etc/gate
USER gate
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
VOLUME /var/lib/gate
EXPOSE 8443
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-m", "gate_service.web.healthcheck", "/etc/gate/site.toml"]
ENTRYPOINT ["gate"]
CMD ["run", "--config", "/etc/gate/site.toml"]
