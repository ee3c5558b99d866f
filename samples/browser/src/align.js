// Brings a face onto a template by five points.
import { templates } from './templates.js';

// FaceDistill aligns onto 160 pixels first and shrinks then; points are in pixel centres there.
const alignedSize = 160;

/** The similarity transform, without reflection, that brings points nearest to others by least squares (Umeyama, 1991): x' = a x - b y + e, y' = b x + a y + f. */
export function fitSimilarity(from, to) {
  const centre = points => points.reduce(([x, y], p) => [x + p[0] / points.length, y + p[1] / points.length], [0, 0]);
  const [fx, fy] = centre(from), [tx, ty] = centre(to);
  let along = 0, across = 0, length = 0;
  from.forEach(([x, y], i) => {
    const [u, v, p, q] = [x - fx, y - fy, to[i][0] - tx, to[i][1] - ty];
    along += u * p + v * q;
    across += u * q - v * p;
    length += u * u + v * v;
  });
  if (length === 0) throw new Error('the five points lie on one spot');
  const [a, b] = [along / length, across / length];
  return { a, b, e: tx - a * fx + b * fy, f: ty - b * fx - a * fy };
}

/** Where a template's points lie in a picture of a size, in the canvas's coordinates (pixel i from i to i + 1). */
export function templatePoints(name, size) {
  const template = templates[name];
  if (!template) throw new Error(`the student wants the alignment template '${name}', which this page does not know`);
  return template.points.map(p => p.map(v => (v * alignedSize / template.referenceSize + 0.5) * size / alignedSize));
}

/** Draws the aligned face into a canvas of size x size. Points are in the canvas's coordinates of the picture. */
export function drawAligned(canvas, picture, points, template, size) {
  const { a, b, e, f } = fitSimilarity(points, templatePoints(template, size));
  canvas.width = canvas.height = size;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#000';
  context.fillRect(0, 0, size, size);
  context.imageSmoothingQuality = 'high';
  context.setTransform(a, b, -b, a, e, f);
  context.drawImage(picture, 0, 0);
  context.resetTransform();
  return context.getImageData(0, 0, size, size).data;
}
