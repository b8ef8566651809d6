# The API alone: PostgreSQL is another container's, and so is whoever signs the tokens.

FROM python:3.11-slim AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md ./
COPY api api
COPY db db
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --constraint constraints.txt --prefix installed .

FROM python:3.11-slim
COPY --from=build /build/installed /usr/local
# Nobody in particular, who owns nothing.
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["task-api", "serve", "--host", "0.0.0.0", "--port", "8000"]
