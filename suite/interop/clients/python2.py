"""Visits a server with the Python SDK 2.x: `python2.py legacy|modern URL`. Lists the tools, calls `echo`, leaves."""

import asyncio
import sys

from mcp.client.client import Client


async def visit(mode: str, url: str) -> None:
    async with Client(url, mode=mode) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("echo", {"text": "hello"})
        print(client.protocol_version, len(tools), "tools; echo:", result.content[0].text)


asyncio.run(visit({"legacy": "legacy", "modern": "2026-07-28"}[sys.argv[1]], sys.argv[2]))
