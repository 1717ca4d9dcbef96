# One image for web, migrate and scheduler, which differ only in their commands.
# Pin the base by digest where you build: FROM python:3.13-slim@sha256:...
FROM python:3.13-slim AS build

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# Packages before the code, so that a change of the code reuses this layer.
COPY requirements.txt ./
RUN python -m venv .venv && \
    .venv/bin/pip install --require-hashes --requirement requirements.txt

COPY . .

# Compile the translations, collect the static files and compile the Python code. The key is used in
# this step only.
RUN DEBUG=False ALLOWED_HOSTS=localhost EMAIL_URL=dummymail:// DATABASE_URL=sqlite:// \
    SECRET_KEY="$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    sh -c '.venv/bin/python manage.py compilemessages && \
        .venv/bin/python manage.py collectstatic --no-input --verbosity 0' && \
    .venv/bin/python -m compileall -q accounts config token_blacklist


FROM python:3.13-slim

# Unprivileged user without shell, home or write access to /app.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app
COPY --from=build /app /app
WORKDIR /app
USER 10001

# At run time only /tmp is written to; everything else can be read-only.
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    METRICS_DIR=/tmp/metrics \
    PORT=8000
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "deploy/healthy.py"]
CMD ["gunicorn", "--config", "config/gunicorn.conf.py", "config.wsgi"]
