import { int } from "../python/values.js";
import type { Core, FieldSchema } from "./core.js";

/** The docstring of FastMCP 4.1's `Context` (Apache-2.0). */
const FASTMCP_CONTEXT = `Context object providing access to MCP capabilities.

This provides a cleaner interface to MCP's RequestContext functionality.
It gets injected into tool and resource functions that request it via type hints.

To use context in a tool function, add a parameter with the Context type annotation:

\`\`\`python
@server.tool
async def my_tool(x: int, ctx: Context) -> str:
    # Log messages to the client
    await ctx.info(f"Processing {x}")
    await ctx.debug("Debug info")
    await ctx.warning("Warning message")
    await ctx.error("Error message")

    # Report progress
    await ctx.report_progress(50, 100, "Processing")

    # Access resources
    data = await ctx.read_resource("resource://data")

    # Get request info
    request_id = ctx.request_id
    client_id = ctx.client_id

    # Manage state (persists across requests on handshake-era sessions)
    await ctx.set_state("key", "value")
    value = await ctx.get_state("key")

    # Store non-serializable values for the current request only
    await ctx.set_state("client", http_client, serializable=False)

    return str(x)
\`\`\`

State Management:
Context state is keyed by \`session_id\`. On handshake-era (legacy)
connections that identifier lasts for the MCP session, so state persists
across requests and is isolated between clients. On 2026-07-28 connections,
which \`Client\` negotiates by default, every request is a fresh connection,
so state does not carry over to the next request. Use
[Session State](/servers/sessions) for data that must outlive a request.

The context parameter name can be anything as long as it's annotated with Context.
The context is optional - tools that don't need it can omit the parameter.`;

/** The docstring of `Context` in the MCP Python SDK 2.3 (MIT). */
const SDK_CONTEXT = `Context object providing access to MCP capabilities.

This provides a cleaner interface to MCP's RequestContext functionality.
It gets injected into tool and resource functions that request it via type hints.

To use context in a tool function, add a parameter with the Context type annotation:

\`\`\`python
@server.tool()
async def my_tool(x: int, ctx: Context) -> str:
    # Log messages to the client
    await ctx.info(f"Processing {x}")
    await ctx.debug("Debug info")
    await ctx.warning("Warning message")
    await ctx.error("Error message")

    # Report progress
    await ctx.report_progress(50, 100)

    # Access resources
    data = await ctx.read_resource("resource://data")

    # Get request info
    request_id = ctx.request_id

    return str(x)
\`\`\`

The context parameter name can be anything as long as it's annotated with Context.
The context is optional - tools that don't need it can omit the parameter.`;

const STATE_TTL: FieldSchema = {
  name: "_STATE_TTL_SECONDS",
  schema: { type: "default", schema: { type: "int" }, default: int(86_400) },
  metadata: {},
  required: false,
  validationAlias: null,
  serializationAlias: null,
  excluded: false,
  computed: false,
};

/** What pydantic makes of a runtime's `Context` where the other runtime meets it, which takes it for any data class or model. */
export const CONTEXTS: Readonly<
  Record<string, { readonly identity: string; readonly schema: Core }>
> = {
  "fastmcp.Context": {
    identity: "fastmcp.server.context.Context:0",
    schema: {
      type: "dataclass",
      class: null,
      title: "Context",
      docstring: FASTMCP_CONTEXT,
      fields: [STATE_TTL],
      config: new Map(),
    },
  },
  "mcp.Context": {
    identity: "mcp.server.mcpserver.context.Context:0",
    schema: {
      type: "model",
      class: null,
      title: "Context",
      docstring: SDK_CONTEXT,
      fields: [],
      config: new Map(),
    },
  },
};
