// A client to fuzz, with the TypeScript SDK 2.x: `node fuzz_typescript.mjs legacy|modern URL`. Lists what there is, calls
// `echo`, leaves. What the SDK rejects with is caught: to give up is no crash.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [era, url] = process.argv.slice(2);
const mode = { legacy: 'legacy', modern: { pin: '2026-07-28' } }[era];
const client = new Client({ name: 'fuzzed', version: '1.0.0' }, { versionNegotiation: { mode } });
const options = { timeout: 3000 };
try {
    await client.connect(new StreamableHTTPClientTransport(new URL(url)), options);
    await client.listTools(undefined, options);
    await client.listResources(undefined, options);
    await client.listPrompts(undefined, options);
    await client.callTool({ name: 'echo', arguments: { text: 'hello' } }, options);
    await client.close();
} catch (error) {
    console.log('gave up:', error?.name);
    await client.close().catch(() => {});
    process.exitCode = 1;
}
