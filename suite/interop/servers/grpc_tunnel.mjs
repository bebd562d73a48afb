// A server on the TypeScript SDK 1.x behind the npm package mcp-grpc-transport: `grpc_tunnel.mjs PORT`. On one
// listener it speaks the tunnel `mcp.transport.v1.Mcp/Session`, an older form of the protobuf binding, and health.
import { setTimeout as sleep } from 'node:timers/promises';

import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { maybeStartGrpcMcpServer } from 'mcp-grpc-transport';
import { z } from 'zod';

// The package is set up by its environment alone.
Object.assign(process.env, { ENABLE_GRPC: 'true', GRPC_BIND: '127.0.0.1', GRPC_PORT: process.argv[2] });

const say = (text) => ({ content: [{ type: 'text', text }] });

function createMcpServer() {
    const server = new McpServer({ name: 'interop-grpc-tunnel', version: '1.0.0' });
    server.registerTool('echo', { description: 'Gives its text back.', inputSchema: { text: z.string() } },
        ({ text }) => say(text));
    server.registerTool('add',
        {
            description: 'Adds two integers.',
            inputSchema: { a: z.number().int(), b: z.number().int() },
            outputSchema: { sum: z.number().int() },
        },
        ({ a, b }) => ({ ...say(JSON.stringify({ sum: a + b })), structuredContent: { sum: a + b } }));
    server.registerTool('fail', { description: 'Always ends in a tool error.' },
        () => ({ ...say('this tool always fails'), isError: true }));
    server.registerTool('slow',
        { description: 'Takes its time, reporting progress in five parts.', inputSchema: { ms: z.number() } },
        async ({ ms }, { _meta, sendNotification }) => {
            for (let part = 1; part <= 5; part += 1) {
                await sleep(ms / 5);
                if (_meta?.progressToken === undefined) continue;
                const params = { progressToken: _meta.progressToken, progress: part, total: 5 };
                await sendNotification({ method: 'notifications/progress', params });
            }
            return say('finished');
        });
    server.registerResource('note', 'demo://note', { mimeType: 'text/plain' },
        (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'a note' }] }));
    server.registerResource('item', new ResourceTemplate('demo://item/{number}', { list: undefined }),
        { mimeType: 'text/plain' },
        (uri, { number }) => ({ contents: [{ uri: uri.href, text: `item number ${number}` }] }));
    server.registerPrompt('greet', { description: 'Asks for a greeting.', argsSchema: { name: z.string() } },
        ({ name }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}.` } }] }));
    return server;
}

await maybeStartGrpcMcpServer({ createMcpServer });
