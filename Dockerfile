# syntax=docker/dockerfile:1

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# The build context holds no history, so the version comes from outside:
# docker build --build-arg VERSION=$(git describe --tags --always) .
ARG VERSION=unknown
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    make build VERSION="$VERSION" && mkdir /data

# No shell and no libc: the certificates that providers are checked by, a user
# who is not root, and one static binary that carries its time zones.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /src/tocsin /usr/local/bin/tocsin
COPY --from=build --chown=nonroot:nonroot /data /data
WORKDIR /data
VOLUME /data
ENV TOCSIN_LISTEN=:8080
EXPOSE 8080
# A termination lets it finish what it has claimed.
STOPSIGNAL SIGTERM
ENTRYPOINT ["tocsin"]
CMD ["serve"]
