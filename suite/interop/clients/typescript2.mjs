// Visits a server with the TypeScript SDK 2.x: `node typescript2.mjs legacy|modern URL`. Lists the tools, calls `echo`,
// leaves.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [era, url] = process.argv.slice(2);
const mode = { legacy: 'legacy', modern: { pin: '2026-07-28' } }[era];
const client = new Client({ name: 'interop-typescript2', version: '1.0.0' }, { versionNegotiation: { mode } });
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
const { tools } = await client.listTools();
const { content } = await client.callTool({ name: 'echo', arguments: { text: 'hello' } });
console.log(client.getNegotiatedProtocolVersion(), `${tools.length} tools; echo: ${content[0].text}`);
await client.close();
