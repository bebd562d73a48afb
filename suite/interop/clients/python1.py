"""Visits a server with the Python SDK 1.x: `python1.py http|sse|ws URL`. Lists the tools, calls `echo`, leaves."""

import asyncio
import sys

from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.client.websocket import websocket_client


async def visit(connect, url: str) -> None:
    async with connect(url) as streams, ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        result = await session.call_tool("echo", {"text": "hello"})
        print(len(tools), "tools; echo:", result.content[0].text)


asyncio.run(visit({"http": streamablehttp_client, "sse": sse_client, "ws": websocket_client}[sys.argv[1]], sys.argv[2]))
