# MinIO's open-source server was archived by its makers and its images are gone; its last source still
# builds from the Go module proxy. GNU AGPL 3.0: https://github.com/minio/minio

FROM golang:1.24-alpine AS build
RUN CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' \
      github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c

FROM alpine:3.22
COPY --from=build /go/bin/minio /usr/local/bin/minio
RUN adduser -D -H -u 1000 minio && mkdir /data && chown minio:minio /data
USER minio
VOLUME /data
EXPOSE 9000
ENTRYPOINT ["minio"]
CMD ["server", "/data", "--address", ":9000"]
