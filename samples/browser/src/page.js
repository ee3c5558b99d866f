// The page: what is chosen, marked and answered.
import { openStudent, embed, similarity } from './model.js';
import { drawAligned } from './align.js';

const names = ["the eye at the left", "the eye at the right", "the tip of the nose", "the mouth's corner at the left", "the mouth's corner at the right"];
const element = id => document.getElementById(id);
const faces = [];
let student = null;

ort.env.wasm.numThreads = 1;
ort.env.wasm.proxy = false;
// Ready when the runtime's WebAssembly is unpacked.
const runtime = (async () => {
  const packed = Uint8Array.from(atob(element('wasm').textContent), c => c.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  ort.env.wasm.wasmBinary = await new Response(unpacked).arrayBuffer();
})();

function say(where, text, wrong = false) {
  where.textContent = text;
  where.classList.toggle('wrong', wrong);
}

element('student').addEventListener('change', async event => {
  student = null;
  const file = event.target.files[0];
  const says = element('student-says');
  if (!file) return say(says, 'None chosen yet.');
  say(says, 'Opening ...');
  try {
    await runtime;
    student = await openStudent(new Uint8Array(await file.arrayBuffer()));
    const at = student.thresholds.map(t => `FAR ${t.far}: ${t.threshold.toFixed(4)} (${t.protocol}, ${t.impostorPairs.toLocaleString('en')} impostor pairs)`);
    say(says, `${student.name}${student.teacher ? `, distilled from ${student.teacher}` : ''}; sees ${student.contract.size} x ${student.contract.size} pixels aligned to '${student.contract.template}'. `
      + (at.length ? `Thresholds: ${at.join('; ')}.` : 'It carries no threshold: export it with --evaluate to get a verdict.'));
  } catch (error) {
    say(says, `${file.name} cannot be used: ${error.message}`, true);
  }

  await answer();
});

function makeFace(title) {
  const part = element('face').content.cloneNode(true);
  const find = selector => part.querySelector(selector);
  const face = { picture: null, points: [], photo: find('.photo'), next: find('.next'), field: find('.points'), aligned: find('.aligned') };
  find('legend').textContent = title;
  face.photo.setAttribute('aria-label', `${title}: the picture with its marks`);
  face.aligned.setAttribute('aria-label', `${title}: the aligned face`);
  find('.picture').addEventListener('change', async event => {
    const file = event.target.files[0];
    [face.picture, face.points] = [null, []];
    try {
      face.picture = file ? await createImageBitmap(file) : null;
      show(face);
    } catch {
      say(face.next, `${file.name} is no picture that this browser reads.`, true);
    }

    await answer();
  });
  face.photo.addEventListener('click', event => {
    if (face.picture && face.points.length < names.length) {
      const box = face.photo.getBoundingClientRect();
      // Marks are kept in pixel centres, as face detectors give them.
      face.points.push([(event.clientX - box.left) * face.picture.width / box.width - 0.5, (event.clientY - box.top) * face.picture.height / box.height - 0.5]);
      show(face);
      answer();
    }
  });
  face.field.addEventListener('input', () => {
    const numbers = (face.field.value.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
    face.points = [0, 1, 2, 3, 4].filter(i => numbers.length > 2 * i + 1).map(i => [numbers[2 * i], numbers[2 * i + 1]]);
    show(face, false);
    answer();
  });
  find('.clear').addEventListener('click', () => {
    face.points = [];
    show(face);
    answer();
  });
  element('faces').append(part);
  faces.push(face);
  show(face);
}

function show(face, write = true) {
  const { picture, points, photo } = face;
  [photo.width, photo.height] = picture ? [picture.width, picture.height] : [0, 0];
  if (picture) {
    const context = photo.getContext('2d');
    context.drawImage(picture, 0, 0);
    const radius = Math.max(2, picture.width / 100);
    context.lineWidth = radius / 2;
    for (const [x, y] of points) {
      context.strokeStyle = '#000';
      context.beginPath();
      context.arc(x + 0.5, y + 0.5, radius, 0, 7);
      context.stroke();
      context.fillStyle = '#fff';
      context.fill();
    }
  }

  if (write) face.field.value = points.map(p => p.map(v => v.toFixed(1)).join(', ')).join(',  ');
  say(face.next, !picture ? 'No picture yet.' : points.length < names.length ? `Next: ${names[points.length]}.` : 'All five points are marked.');
}

async function answer() {
  const says = element('answer');
  says.classList.remove('accept', 'reject');
  element('limits').textContent = '';
  if (!student || faces.some(f => !f.picture || f.points.length < names.length)) return say(says, 'Waiting for a student and two marked faces.');
  try {
    const embeddings = [];
    for (const face of faces) {
      const points = face.points.map(p => p.map(v => v + 0.5));
      embeddings.push(await embed(student, drawAligned(face.aligned, face.picture, points, student.contract.template, student.contract.size)));
    }

    const cosine = similarity(...embeddings);
    const limit = student.thresholds.find(t => Math.abs(t.far - 1e-4) < 1e-12);
    const accepted = limit && cosine >= limit.threshold;
    if (limit) says.classList.add(accepted ? 'accept' : 'reject');
    say(says, `Similarity ${cosine.toFixed(4)}. ` + (!limit ? 'No threshold is known for a verdict.'
      : accepted ? `Accepted as one person at FAR 1e-4 (threshold ${limit.threshold.toFixed(4)}).` : `Not accepted at FAR 1e-4 (threshold ${limit.threshold.toFixed(4)}).`));
    element('limits').textContent = limit ? 'FAR 1e-4: of ten thousand pairs of strangers like those measured, one is accepted. No proof of who somebody is.' : '';
    says.dataset.similarity = cosine;
  } catch (error) {
    say(says, error.message, true);
  }
}

makeFace('First face');
makeFace('Second face');
