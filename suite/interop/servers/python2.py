"""A server on the Python SDK 2.x: `python2.py stdio`, or `python2.py http|json|sse PORT`."""

import asyncio
import sys

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("interop-python2")


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
    for part in range(5):
        await asyncio.sleep(ms / 5000)
        await context.report_progress(part + 1, 5)
    return "finished"


@server.tool()
async def rename(context: Context) -> str:
    """Says that the list of tools and the note have changed."""
    await context.notify_tools_changed()
    await context.notify_resource_updated("demo://note")
    return "said so"


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


mode = sys.argv[1]
options = {} if mode == "stdio" else {"host": "127.0.0.1", "port": int(sys.argv[2])}
if mode == "json":
    options |= {"stateless_http": True, "json_response": True}
server.run({"http": "streamable-http", "json": "streamable-http"}.get(mode, mode), **options)
