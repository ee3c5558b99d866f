// Makes dist/compare.html: page, style, scripts and ONNX Runtime (its WebAssembly compressed) in one file, which works from a disk, a server, and without a network.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const runtime = new URL('node_modules/onnxruntime-web/dist/', import.meta.url);
const read = (name, base = new URL('src/', import.meta.url)) => readFileSync(new URL(name, base), 'utf8');

// An inline script cannot be imported, so the runtime's exports become a global.
function asGlobal(module, name) {
  const at = module.lastIndexOf('export{');
  const end = module.indexOf('}', at);
  if (at < 0 || end < 0) throw new Error('onnxruntime-web has no list of exports where one was expected; this script knows version 1.30.0');
  const members = module.slice(at + 7, end).split(',').map(e => e.trim().split(' as ')).map(([from, to]) => `${to ?? from}:${from}`);
  return `${module.slice(0, at)}globalThis.${name}={${members.join(',')}};`;
}

const script = text => `<script type="module">\n${text.replaceAll('</script', '<\\/script').replace(/^\/\/# sourceMappingURL.*$/m, '')}\n</script>`;
const own = ['templates.js', 'model.js', 'align.js', 'page.js'].map(f => read(f).replace(/^import .*$/gm, '').replace(/^export /gm, '')).join('\n');
const wasm = gzipSync(readFileSync(new URL('ort-wasm-simd-threaded.wasm', runtime)), { level: 9 }).toString('base64');
const page = read('page.html')
  .replace('/* style */', () => read('style.css'))
  .replace('<!-- scripts -->', () => [
    script(asGlobal(read('ort.wasm.bundle.min.mjs', runtime), 'ort')),
    `<script id="wasm" type="application/gzip">${wasm}</script>`,
    script(own),
  ].join('\n'));
mkdirSync(new URL('dist/', import.meta.url), { recursive: true });
writeFileSync(new URL('dist/compare.html', import.meta.url), page);
console.log(`dist/compare.html: ${(page.length / 1e6).toFixed(1)} MB`);
