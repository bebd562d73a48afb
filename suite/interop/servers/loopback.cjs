// Preload (node --require) for programs that offer no choice of address: whatever they bind, they bind on 127.0.0.1.
'use strict';
const { Server } = require('node:net');

const everywhere = new Set([undefined, '', '0.0.0.0', '::']);
const original = Server.prototype.listen;
Server.prototype.listen = function listen(first, ...rest) {
    if (first !== null && typeof first === 'object' && 'port' in first && everywhere.has(first.host)) {
        return original.call(this, { ...first, host: '127.0.0.1' }, ...rest);
    }
    if (/^\d+$/.test(String(first))) {
        const options = { port: Number(first), host: '127.0.0.1' };
        if (typeof rest[0] === 'string') {
            const host = rest.shift();
            if (!everywhere.has(host)) options.host = host;
        }
        return original.call(this, options, ...rest.filter((argument) => typeof argument === 'function'));
    }
    return original.call(this, first, ...rest);
};
