// The smallest server that is correct: two tools, one of them without a description, over Streamable HTTP with an
// Origin check, without sessions and without streams, in the legacy revisions that have that transport.
//
//   node minimal.mjs PORT
import { createServer } from 'node:http';

const revisions = ['2025-03-26', '2025-06-18', '2025-11-25'];
const tools = [
    { name: 'echo', description: 'Gives its text back.', annotations: { readOnlyHint: true },
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } },
    { name: 'now', annotations: { readOnlyHint: true }, inputSchema: { type: 'object' } },
];

class RpcError extends Error {
    constructor(code, message) {
        super(message);
        this.code = code;
    }
}

const text = (value) => ({ content: [{ type: 'text', text: value }] });

function call({ name, arguments: given = {} }) {
    if (name === 'now') return text(new Date().toISOString());
    if (name !== 'echo') throw new RpcError(-32602, `unknown tool: ${name}`);
    if (!isObject(given)) throw new RpcError(-32602, '`arguments` must be an object');
    if (typeof given.text !== 'string') return { ...text('`text` must be a string'), isError: true };
    return text(given.text);
}

function initialize({ protocolVersion, capabilities, clientInfo }) {
    const known = isObject(clientInfo) && typeof clientInfo.name === 'string' && typeof clientInfo.version === 'string';
    if (typeof protocolVersion !== 'string' || !isObject(capabilities) || !known) {
        throw new RpcError(-32602, '`protocolVersion`, `capabilities` and `clientInfo` are required');
    }
    return {
        protocolVersion: revisions.includes(protocolVersion) ? protocolVersion : revisions.at(-1),
        capabilities: { tools: {} },
        serverInfo: { name: 'interop-minimal', version: '1.0.0' },
    };
}

const methods = {
    initialize,
    ping: () => ({}),
    'tools/list': ({ cursor }) => {
        if (cursor !== undefined) throw new RpcError(-32602, 'unknown cursor');
        return { tools };
    },
    'tools/call': call,
};

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
// An integer that a double does not hold would come back as another one.
const isId = (id) => typeof id === 'string' || Number.isSafeInteger(id);

// The response to one message, or undefined where none is due.
function answer(message) {
    const known = isObject(message) && message.jsonrpc === '2.0';
    if (known && message.method === undefined && isId(message.id) && ('result' in message || 'error' in message)) return;
    const id = isObject(message) && isId(message.id) ? message.id : null;
    if (!known || typeof message.method !== 'string' || ('id' in message && id === null)) {
        return { jsonrpc: '2.0', id, error: { code: -32600, message: 'not a request' } };
    }
    if (!('id' in message)) return;
    try {
        const method = Object.hasOwn(methods, message.method) ? methods[message.method] : undefined;
        if (method === undefined) throw new RpcError(-32601, `unknown method: ${message.method}`);
        const params = message.params ?? {};
        if (!isObject(params)) throw new RpcError(-32602, 'params must be an object');
        return { jsonrpc: '2.0', id, result: method(params) };
    } catch (error) {
        return { jsonrpc: '2.0', id, error: { code: error.code ?? -32603, message: error.message } };
    }
}

function reply(response, status, body) {
    if (body === undefined) return response.writeHead(status).end();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const refusal = (code, message) => ({ jsonrpc: '2.0', id: null, error: { code, message } });
const port = Number(process.argv[2]);
const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
const origins = new Set([...hosts].map((host) => `http://${host}`));

const server = createServer((request, response) => {
    const { origin } = request.headers;
    const accept = (request.headers.accept ?? '').toLowerCase();
    const version = request.headers['mcp-protocol-version'];
    if (origin !== undefined && !origins.has(origin)) return reply(response, 403, refusal(-32600, 'forbidden origin'));
    if (!hosts.has(request.headers.host)) return reply(response, 403, refusal(-32600, 'forbidden host'));
    // A request line may hold the whole URL (RFC 9112, section 3.2.2).
    if (request.url.replace(/^http:\/\/[^/]+/, '') !== '/mcp') return reply(response, 404);
    if (request.method !== 'POST') return response.writeHead(405, { allow: 'POST' }).end();
    if (!/application\/json|application\/\*|\*\/\*/.test(accept)) return reply(response, 406);
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return reply(response, 415);
    if (version !== undefined && !revisions.includes(version)) return reply(response, 400, refusal(-32600, 'unknown version'));
    const pieces = [];
    let size = 0;
    request.on('data', (piece) => {
        size += piece.length;
        if (size <= 4_000_000) pieces.push(piece);
    });
    request.on('end', () => {
        if (size > 4_000_000) return reply(response, 413);
        let message;
        try {
            message = JSON.parse(Buffer.concat(pieces).toString());
        } catch {
            return reply(response, 400, refusal(-32700, 'not JSON'));
        }
        if (Array.isArray(message) && (version ?? '2025-03-26') === '2025-03-26' && message.length > 0) {
            if (message.some((one) => one?.method === 'initialize')) {
                return reply(response, 400, refusal(-32600, '`initialize` in a batch'));
            }
            const answers = message.map(answer).filter((one) => one !== undefined);
            return answers.length > 0 ? reply(response, 200, answers) : reply(response, 202);
        }
        const result = answer(message);
        if (result === undefined) return reply(response, 202);
        return reply(response, result.id === null ? 400 : 200, result);
    });
});
server.listen(port, '127.0.0.1');
