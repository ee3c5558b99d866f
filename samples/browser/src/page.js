// The page: what is chosen, marked and answered.
import { openStudent, embed, similarity } from './model.js';
import { drawAligned } from './align.js';
import { openDetector, detect, mostCentralLarge } from './detect.js';

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
    const at = student.thresholds.filter(t => [1e-3, 1e-4, 1e-5].includes(t.far)).map(t => `FAR ${t.far.toExponential()}: ${t.threshold.toFixed(4)} (${t.protocol}, ${t.impostorPairs.toLocaleString('en')} impostor pairs)`);
    say(says, `${student.name}${student.teacher ? `, distilled from ${student.teacher}` : ''}; sees ${student.contract.size} x ${student.contract.size} pixels aligned to '${student.contract.template}'. `
      + (at.length ? `Thresholds: ${at.join('; ')}.` : 'It carries no threshold: export it with --evaluate to get a verdict.'));
  } catch (error) {
    say(says, `${file.name} cannot be used: ${error.message}`, true);
  }

  await answer();
});

// The face detector: built into the page, or chosen.
let detector = null;
const opened = (async () => {
  const packed = element('yunet');
  element('detector-part').hidden = Boolean(packed);
  if (!packed) return say(element('detector-says'), 'Until the face detector is chosen, five clicks mark a face.');
  await runtime;
  await useDetector(Uint8Array.from(atob(packed.textContent), c => c.charCodeAt(0)), 'The face detector');
})();

async function useDetector(bytes, name) {
  try {
    detector = await openDetector(bytes);
    say(element('detector-says'), '');
  } catch (error) {
    detector = null;
    say(element('detector-says'), `${name} cannot be used: ${error.message}. Five clicks mark a face.`, true);
  }
}

element('detector').addEventListener('change', async event => {
  const file = event.target.files[0];
  if (!file) return;
  await runtime;
  await useDetector(new Uint8Array(await file.arrayBuffer()), file.name);
  for (const face of faces.filter(f => f.points.length < names.length)) await find(face); // what was marked by hand stays
});

// A page that the browser does not trust, as some do not trust one from the disk, gets no camera.
const hasCamera = Boolean(navigator.mediaDevices?.getUserMedia);
if (!hasCamera) {
  element('camera-says').hidden = false;
  element('camera-says').textContent = 'No camera: this browser gives one only to pages from https or localhost, '
    + `and this one is from ${location.protocol === 'file:' ? 'the disk (file://)' : location.protocol + '//' + location.host}. Choose pictures instead.`;
}

function makeFace(title) {
  const part = element('face').content.cloneNode(true);
  const get = selector => part.querySelector(selector);
  const face = {
    picture: null, found: [], chosen: -1, byHand: false, points: [], stream: null,
    photo: get('.photo'), next: get('.next'), field: get('.points'), aligned: get('.aligned'), choices: get('.choices'), live: get('.live'),
    buttons: { open: get('.open'), take: get('.take'), close: get('.close') },
  };
  get('legend').textContent = title;
  face.photo.setAttribute('aria-label', `${title}: the picture with its marks`);
  face.aligned.setAttribute('aria-label', `${title}: the aligned face`);
  get('.camera').hidden = !hasCamera;
  const input = get('.picture');
  input.addEventListener('change', async () => {
    const file = input.files[0];
    let picture = null;
    try {
      if (file) picture = await createImageBitmap(file);
    } catch {
      await take(face, null);
      say(face.next, `${file.name} is no picture that this browser reads.`, true);
      return;
    }
    await take(face, picture);
  });
  face.photo.addEventListener('click', event => {
    if (!face.picture) return;
    const box = face.photo.getBoundingClientRect();
    // Marks are kept in pixel centres, as face detectors give them.
    clicked(face, [(event.clientX - box.left) * face.picture.width / box.width - 0.5, (event.clientY - box.top) * face.picture.height / box.height - 0.5]);
  });
  face.field.addEventListener('input', () => {
    const numbers = (face.field.value.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
    face.points = [0, 1, 2, 3, 4].filter(i => numbers.length > 2 * i + 1).map(i => [numbers[2 * i], numbers[2 * i + 1]]);
    show(face, false);
    answer();
  });
  get('.clear').addEventListener('click', () => {
    Object.assign(face, { points: [], chosen: -1, byHand: true });
    show(face);
    answer();
  });
  get('.again').addEventListener('click', () => find(face));
  face.buttons.open.addEventListener('click', () => openCamera(face));
  face.buttons.close.addEventListener('click', () => closeCamera(face));
  face.buttons.take.addEventListener('click', async () => {
    const picture = await createImageBitmap(face.live);
    closeCamera(face);
    input.value = '';
    await take(face, picture);
  });
  element('faces').append(part);
  faces.push(face);
  show(face);
}

async function openCamera(face) {
  try {
    face.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', width: { ideal: 1280 } } });
    face.live.srcObject = face.stream;
    await face.live.play();
    cameraIsOpen(face, true);
  } catch (error) {
    closeCamera(face);
    say(face.next, `No camera: ${error.name === 'NotAllowedError' ? 'it was refused'
      + (location.protocol === 'file:' ? ' (some browsers refuse every page from the disk; one from https or localhost may ask)' : '')
      : error.name === 'NotFoundError' ? 'this device has none' : error.message}. Choose a picture instead.`, true);
  }
}

function closeCamera(face) {
  face.stream?.getTracks().forEach(track => track.stop());
  face.stream = face.live.srcObject = null;
  cameraIsOpen(face, false);
}

function cameraIsOpen(face, open) {
  [face.live.hidden, face.buttons.take.hidden, face.buttons.close.hidden, face.buttons.open.hidden] = [!open, !open, !open, open];
}

async function take(face, picture) {
  Object.assign(face, { picture, found: [], chosen: -1, byHand: false, points: [] });
  show(face);
  await find(face);
}

// Finds the picture's faces and chooses the one that it is most likely of.
async function find(face) {
  await opened;
  const { picture } = face;
  if (picture && detector) {
    say(face.next, 'Looking for faces ...');
    let found;
    try {
      found = await detect(detector, picture);
    } catch (error) {
      if (face.picture === picture) say(face.next, `The face detector failed: ${error.message}. Five clicks mark the face.`, true);
      return;
    }
    if (face.picture !== picture) return; // another was chosen meanwhile
    face.found = found;
    choose(face, mostCentralLarge(found, picture.width, picture.height));
  } else {
    await answer();
  }
}

function choose(face, index) {
  [face.chosen, face.byHand] = [index, false];
  face.points = index < 0 ? [] : face.found[index].points.map(p => [...p]);
  show(face);
  return answer();
}

function clicked(face, at) {
  const within = ({ box: [x, y, w, h] }) => at[0] >= x - w / 8 && at[0] <= x + w * 9 / 8 && at[1] >= y - h / 8 && at[1] <= y + h * 9 / 8;
  const other = face.found.findIndex(within);
  if (!face.byHand && other >= 0 && !(face.chosen >= 0 && within(face.found[face.chosen]))) return choose(face, other);
  if (face.points.length < names.length) {
    face.points.push(at);
  } else {
    const far = ([x, y]) => (x - at[0]) ** 2 + (y - at[1]) ** 2;
    const nearest = face.points.reduce((best, p, i) => far(p) < far(face.points[best]) ? i : best, 0);
    face.points[nearest] = at;
  }

  show(face);
  return answer();
}

function show(face, write = true) {
  const { picture, points, photo, found } = face;
  [photo.width, photo.height] = picture ? [picture.width, picture.height] : [0, 0];
  if (picture) {
    const context = photo.getContext('2d');
    context.drawImage(picture, 0, 0);
    const radius = Math.max(2, picture.width / 100);
    found.forEach(({ box: [x, y, w, h] }, i) => {
      for (const [colour, width] of [['#000', radius], [i === face.chosen ? '#5fd38d' : '#fff', radius / 2]]) {
        [context.strokeStyle, context.lineWidth] = [colour, width];
        context.strokeRect(x, y, w, h);
      }

      if (found.length > 1) {
        context.font = `bold ${6 * radius}px sans-serif`;
        [context.strokeStyle, context.lineWidth, context.fillStyle] = ['#000', radius, '#fff'];
        context.strokeText(i + 1, x + radius, y + 6 * radius);
        context.fillText(i + 1, x + radius, y + 6 * radius);
      }
    });
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

  face.choices.hidden = found.length < 2;
  face.choices.replaceChildren(...found.map((_, i) => {
    const button = document.createElement('button');
    [button.type, button.textContent] = ['button', `Face ${i + 1}`];
    button.setAttribute('aria-pressed', i === face.chosen);
    button.addEventListener('click', () => choose(face, i));
    return button;
  }));
  if (write) face.field.value = points.map(p => p.map(v => v.toFixed(1)).join(', ')).join(',  ');
  const marked = found.length > 1 ? `${found.length} faces; number ${face.chosen + 1} is taken. Click another to take that one.` : 'The face is found.';
  say(face.next, !picture ? 'No picture yet.'
    : points.length < names.length ? `${detector && !found.length && !face.byHand ? 'No face was found: mark it. ' : ''}Next: click ${names[points.length]}.`
    : face.chosen >= 0 && !face.byHand ? `${marked} Where a point lies wrong, click its right place.` : 'All five points are marked.');
}

async function answer() {
  const says = element('answer');
  says.classList.remove('accept', 'reject');
  element('limits').textContent = '';
  if (!student || faces.some(f => !f.picture || f.points.length < names.length)) return say(says, 'Waiting for a student and two faces.');
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
