"""A server on the Python SDK 1.x: `python1.py stdio`, or `python1.py http|json|sse|ws PORT`."""

import asyncio
import sys

from mcp.server.fastmcp import Context, FastMCP

mode = sys.argv[1]
port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
sessionless = {"stateless_http": True, "json_response": True} if mode == "json" else {}
server = FastMCP("interop-python1", host="127.0.0.1", port=port, log_level="WARNING", **sessionless)


@server.tool()
def echo(text: str) -> str:
    """Gives its text back."""
    return text


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two integers."""
    return a + b


@server.tool()
def fail() -> str:
    """Always ends in a tool error."""
    raise ValueError("this tool always fails")


@server.tool()
async def slow(ms: int, context: Context) -> str:
    """Takes its time, reporting progress in five parts."""
    await context.info("started")
    for part in range(5):
        await asyncio.sleep(ms / 5000)
        await context.report_progress(part + 1, 5)
    return "finished"


@server.resource("demo://note", mime_type="text/plain")
def note() -> str:
    return "a note"


@server.resource("demo://item/{number}", mime_type="text/plain")
def item(number: str) -> str:
    return f"item number {number}"


@server.prompt()
def greet(name: str) -> str:
    """Asks for a greeting."""
    return f"Greet {name}."


def serve_websocket(port: int) -> None:
    import uvicorn
    from mcp.server.websocket import websocket_server
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute

    inner = server._mcp_server

    async def converse(socket) -> None:
        async with websocket_server(socket.scope, socket.receive, socket.send) as (reader, writer):
            await inner.run(reader, writer, inner.create_initialization_options())

    uvicorn.run(Starlette(routes=[WebSocketRoute("/ws", converse)]), host="127.0.0.1", port=port, log_level="warning")


if mode == "ws":
    serve_websocket(int(sys.argv[2]))
else:
    server.run({"http": "streamable-http", "json": "streamable-http"}.get(mode, mode))
