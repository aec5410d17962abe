# One image a service: docker build --build-arg SERVICE=validate .
# SERVICE is the name of a folder under services/.

FROM node:22-bookworm-slim AS base
WORKDIR /app

# What the service needs of the workspace, and nothing else: a change elsewhere keeps the layers below.
FROM base AS prune
ENV TURBO_TELEMETRY_DISABLED=1
COPY . .
RUN npm install --global --ignore-scripts --no-audit --no-fund \
      "turbo@$(node -p 'require("./package.json").devDependencies.turbo')"
ARG SERVICE
RUN test -n "$SERVICE" || { echo 'say which service: --build-arg SERVICE=…' >&2; exit 1; } ; \
    turbo prune --docker "$(node -p 'require(`./services/${process.env.SERVICE}/package.json`).name')"

FROM base AS build
COPY --from=prune /app/out/json/ ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY --from=prune /app/out/full/ ./
COPY tsconfig.base.json ./
ARG SERVICE
RUN npx --no-install tsc -b "services/$SERVICE" \
    && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM base AS run
ENV NODE_ENV=production
ARG SERVICE
# For those that know which Python judges: PYTHON_BIN=/usr/bin/python3 makes it this one.
RUN case "$SERVICE" in \
      dedup|validate|extract) \
        apt-get update && apt-get install --yes --no-install-recommends python3 \
        && rm -rf /var/lib/apt/lists/* ;; \
    esac
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/packages ./packages
COPY --from=build /app/services ./services
COPY scripts/migrate.mjs ./scripts/
ENV SERVICE=$SERVICE
USER node
# exec, so that the signals to stop reach the service itself.
CMD ["sh", "-c", "exec node --enable-source-maps \"services/$SERVICE/dist/main.js\""]
