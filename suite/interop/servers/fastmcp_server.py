"""A server on the Python package fastmcp: `fastmcp.py stdio`, or `fastmcp.py http|sse PORT`."""

import asyncio
import sys

from fastmcp import Context, FastMCP

server = FastMCP("interop-fastmcp")


@server.tool
def echo(text: str) -> str:
    """Gives its text back."""
    return text


@server.tool
def add(a: int, b: int) -> int:
    """Adds two integers."""
    return a + b


@server.tool
def fail() -> str:
    """Always ends in a tool error."""
    raise ValueError("this tool always fails")


@server.tool
async def slow(ms: int, context: Context) -> str:
    """Takes its time, reporting progress in five parts."""
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


@server.prompt
def greet(name: str) -> str:
    """Asks for a greeting."""
    return f"Greet {name}."


mode = sys.argv[1]
address = {} if mode == "stdio" else {"host": "127.0.0.1", "port": int(sys.argv[2])}
server.run(transport=mode, show_banner=False, **address)
