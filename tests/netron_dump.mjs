// Netron's own reader without its window: `node netron_dump.mjs NETRON_FOLDER FILE…` prints one line of JSON a file,
// which holds everything its tree of graphs, nodes, attributes and tensors tells (data of tensors by length).
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, ...files] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.join(folder, name)).href);
const base = await load('base.js');
const flatbuffers = await load('flatbuffers.js');
const tflite = await load('tflite.js');
const table = JSON.parse(fs.readFileSync(path.join(folder, 'tflite-metadata.json'), 'utf-8'));
const operators = new Map(table.map((row) => [row.name, row]));
const plain = (key, value) => {
    if (typeof value === 'bigint') {
        return value.toString();
    }
    if (key === '_data') { // bytes in the flatbuffer, or a stream of those behind it
        return value ? value.length : null;
    }
    if (ArrayBuffer.isView(value)) {
        return `${value.length} of ${value.constructor.name}`;
    }
    return key.startsWith('_') || typeof value === 'function' ? undefined : value;
};

for (const file of files) {
    const stream = new base.BinaryStream(fs.readFileSync(file));
    const context = {
        identifier: path.basename(file),
        stream,
        peek: async (type) => (type === 'flatbuffers.binary' ? flatbuffers.BinaryReader.open(stream) : null),
        set: (type, value) => Object.assign(context, { type, value }).type,
        require: (name) => load(`${name}.js`),
        metadata: async () => ({
            type: (name) => operators.get(name) || { name },
            attribute: (name, key) => (operators.get(name)?.attributes || []).find((a) => a.name === key) || null,
        }),
    };
    const factory = new tflite.ModelFactory();
    await factory.match(context);
    const model = await factory.open(context);
    console.log(JSON.stringify(model, plain));
}
