// Makes dist/compare.html: page, style, scripts, ONNX Runtime (its WebAssembly compressed) and the face detector, where it is at hand, in one file, which works
// from a disk, a server, and without a network. The detector is looked for as FaceDistill looks for it; 'npm run build -- FILE' names it.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
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
const own = ['templates.js', 'model.js', 'align.js', 'detect.js', 'page.js'].map(f => read(f).replace(/^import .*$/gm, '').replace(/^export /gm, '')).join('\n');
const wasm = gzipSync(readFileSync(new URL('ort-wasm-simd-threaded.wasm', runtime)), { level: 9 }).toString('base64');

// YuNet (OpenCV Zoo, MIT), known by the hash in its card.
const card = JSON.parse(readFileSync(new URL('../../teachers/detectors/yunet.json', import.meta.url), 'utf8')).assets[0];
const sha256 = card.sha256.toLowerCase();
const { FACEDISTILL_CACHE: cache, FACEDISTILL_HOME: homes = '', XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env;
const caches = cache ? [cache]
  : [xdg, join(homedir(), '.cache'), join(homedir(), 'Library', 'Caches'), local].filter(Boolean).map(root => join(root, 'facedistill'));
const folders = [...homes.split(delimiter).map(home => home.trim()).filter(Boolean), ...caches].map(root => join(root, 'models'));
const places = process.argv[2] ? [process.argv[2]] : folders.flatMap(models => [join(models, 'yunet', card.file), join(models, card.file)]);
const place = places.find(existsSync);
if (process.argv[2] && !place) throw new Error(`${process.argv[2]} does not exist`);
const yunet = place && readFileSync(place);
if (yunet && createHash('sha256').update(yunet).digest('hex') !== sha256) throw new Error(`${place} is not the detector of teachers/detectors/yunet.json`);

const page = read('page.html')
  .replace('/* style */', () => read('style.css'))
  .replace('<!-- scripts -->', () => [
    script(asGlobal(read('ort.wasm.bundle.min.mjs', runtime), 'ort')),
    `<script id="wasm" type="application/gzip">${wasm}</script>`,
    yunet ? `<script id="yunet" type="application/octet-stream">${yunet.toString('base64')}</script>` : '',
    script(own),
  ].join('\n'));
mkdirSync(new URL('dist/', import.meta.url), { recursive: true });
writeFileSync(new URL('dist/compare.html', import.meta.url), page);
console.log(`dist/compare.html: ${(page.length / 1e6).toFixed(1)} MB, ${yunet ? `with the face detector of ${place}`
  : "without a face detector, which the page asks for ('facedistill teachers pull yunet' fetches it)"}`);
