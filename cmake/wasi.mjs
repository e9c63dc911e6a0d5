// Runs a WASI program in Node.js: node --no-warnings wasi.mjs PROGRAM [ARGUMENT...]. It sees all files, by their whole
// paths (words that name a file are made such), and all variables.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { WASI } from "node:wasi";

const [file, ...words] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [file, ...words.map((word) => (existsSync(word) ? resolve(word) : word))],
  env: process.env,
  preopens: { "/": "/" },
  returnOnExit: true,
});
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(readFileSync(file), imports);
process.exit(wasi.start(instance));
