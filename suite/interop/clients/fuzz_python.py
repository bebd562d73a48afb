"""A client to fuzz, with the Python SDK 1.x, FastMCP or the Python SDK 2.x:

    fuzz_python.py python1|fastmcp|python2|python2-modern URL
    fuzz_python.py python1 COMMAND...     starts a server of its own

Lists what there is, calls `echo`, leaves. What the SDK raises is caught: to give up is no crash.
"""

import asyncio
import sys
from datetime import timedelta


async def python1(words: list[str]) -> None:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamablehttp_client

    if words[0].startswith("http"):
        connection = streamablehttp_client(words[0])
    else:
        connection = stdio_client(StdioServerParameters(command=words[0], args=words[1:]))
    async with connection as streams, ClientSession(streams[0], streams[1], timedelta(seconds=3)) as session:
        await session.initialize()
        await session.list_tools()
        await session.list_resources()
        await session.list_prompts()
        await session.call_tool("echo", {"text": "hello"})


async def with_client(client) -> None:
    async with client:
        await client.list_tools()
        await client.list_resources()
        await client.list_prompts()
        await client.call_tool("echo", {"text": "hello"})


async def visit(kit: str, words: list[str]) -> None:
    if kit == "python1":
        await python1(words)
    elif kit == "fastmcp":
        from fastmcp import Client

        await with_client(Client(words[0], timeout=3, init_timeout=3))
    else:
        from mcp.client.client import Client

        mode = "legacy" if kit == "python2" else "2026-07-28"
        await with_client(Client(words[0], mode=mode, read_timeout_seconds=3))


try:
    asyncio.run(visit(sys.argv[1], sys.argv[2:]))
except Exception as error:
    print("gave up:", type(error).__name__)
    sys.exit(1)
