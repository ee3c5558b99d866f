// Finds faces and their five points with YuNet, as FaceDistill's FaceDetector does (src/FaceDistill.Runtime/Faces/FaceDetector.cs).

const smallSide = 320, largeSide = 640, strides = [8, 16, 32];
const leastScore = 0.6, mostOverlap = 0.3;

/** Opens the detector. */
export async function openDetector(bytes) {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const wanted = strides.flatMap(s => ['cls', 'obj', 'bbox', 'kps'].map(kind => `${kind}_${s}`));
  if (wanted.some(name => !session.outputNames.includes(name))) throw new Error("it is not YuNet's face detector");
  return session;
}

/** The faces of a picture, in its pixels (pixel centres, as FaceDistill gives them): box [x, y, w, h], five points [x, y], score. */
export async function detect(session, picture) {
  const longest = Math.max(picture.width, picture.height);
  const side = longest <= smallSide ? smallSide : largeSide, scale = Math.min(1, side / longest);
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#000';
  context.fillRect(0, 0, side, side);
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
  const rgba = context.getImageData(0, 0, side, side).data, pixels = side * side;
  const planes = new Float32Array(3 * pixels); // blue first, 0 to 255
  for (let c = 0; c < 3; c++) for (let i = 0; i < pixels; i++) planes[c * pixels + i] = rgba[4 * i + 2 - c];
  const outputs = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', planes, [1, 3, side, side]) });
  const grown = v => v / scale;
  return decode(name => outputs[name].data, side)
    .map(f => ({ box: f.box.map(grown), points: f.points.map(p => p.map(grown)), score: f.score }));
}

/** Faces from the network's outputs, by falling score; of those that overlap the best one. As OpenCV's FaceDetectorYN. */
export function decode(output, side) {
  const found = [];
  for (const stride of strides) {
    const [cls, obj, bbox, kps] = ['cls', 'obj', 'bbox', 'kps'].map(kind => output(`${kind}_${stride}`));
    const columns = side / stride;
    for (let i = 0; i < columns * columns; i++) {
      const part = v => Math.min(1, Math.max(0, v));
      const score = Math.sqrt(part(cls[i]) * part(obj[i]));
      if (score < leastScore) continue;
      const column = i % columns, row = Math.floor(i / columns);
      const [w, h] = [Math.exp(bbox[4 * i + 2]) * stride, Math.exp(bbox[4 * i + 3]) * stride];
      const points = [0, 1, 2, 3, 4].map(p => [(kps[10 * i + 2 * p] + column) * stride, (kps[10 * i + 2 * p + 1] + row) * stride]);
      found.push({ box: [(column + bbox[4 * i]) * stride - w / 2, (row + bbox[4 * i + 1]) * stride - h / 2, w, h], points, score });
    }
  }

  const kept = [];
  for (const face of found.sort((a, b) => b.score - a.score)) {
    if (kept.every(k => overlap(k.box, face.box) <= mostOverlap)) kept.push(face);
  }

  return kept;
}

// Intersection by union, of whole pixels.
function overlap(first, second) {
  const [a, b] = [first, second].map(box => box.map(Math.trunc));
  const common = i => Math.max(0, Math.min(a[i] + a[i + 2], b[i] + b[i + 2]) - Math.max(a[i], b[i]));
  const both = common(0) * common(1);
  return both / (a[2] * a[3] + b[2] * b[3] - both || 1);
}

/** Of the largest face and of those with at least a quarter of its area, the one nearest the picture's centre; -1 for none. */
export function mostCentralLarge(faces, width, height) {
  const area = f => f.box[2] * f.box[3], largest = Math.max(...faces.map(area));
  const offset = f => (f.box[0] + f.box[2] / 2 - width / 2) ** 2 + (f.box[1] + f.box[3] / 2 - height / 2) ** 2;
  return faces.reduce((best, f, i) => area(f) < largest / 4 || (best >= 0 && offset(faces[best]) <= offset(f)) ? best : i, -1);
}
