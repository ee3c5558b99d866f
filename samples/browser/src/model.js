// What an exported student says of itself, and its embedding of a face.

/** Reads the metadata of an ONNX file: ModelProto's field 14, a list of entries with a key (1) and a value (2). */
export function readMetadata(bytes) {
  const metadata = {};
  for (const [field, value] of fields(bytes)) {
    if (field === 14) {
      const entry = Object.fromEntries(fields(value).map(([f, v]) => [f, new TextDecoder().decode(v)]));
      metadata[entry[1]] = entry[2] ?? '';
    }
  }

  return metadata;
}

// The length-delimited fields of a protobuf message; the others are passed over.
function fields(bytes) {
  const found = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      if (at >= bytes.length) throw new Error('the file ends in the middle of a number');
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const kind = tag & 7;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = varint();
      if (at + length > bytes.length) throw new Error('the file is cut off');
      found.push([Math.floor(tag / 8), bytes.subarray(at, at + length)]);
      at += length;
    } else throw new Error('this is no ONNX file');
  }

  return found;
}

/** Opens a student: its metadata and a session on one thread. */
export async function openStudent(bytes) {
  const metadata = readMetadata(bytes);
  if (!metadata['facedistill.contract']) throw new Error('this file does not say what input it wants: FaceDistill did not export it');
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const input = session.inputMetadata[0];
  return {
    session,
    name: metadata['facedistill.student'] ?? 'student',
    teacher: metadata.teacher ?? '',
    contract: JSON.parse(metadata['facedistill.contract']),
    thresholds: JSON.parse(metadata['facedistill.thresholds'] ?? '[]'),
    takesBytes: input.type === 'uint8',
    input: input.name,
  };
}

/** The embedding of an aligned face: RGBA bytes of size x size pixels. */
export async function embed(student, rgba) {
  const { size, mean, std } = student.contract;
  const pixels = size * size;
  let tensor;
  if (student.takesBytes) {
    const rgb = new Uint8Array(3 * pixels);
    for (let i = 0; i < pixels; i++) for (let c = 0; c < 3; c++) rgb[3 * i + c] = rgba[4 * i + c];
    tensor = new ort.Tensor('uint8', rgb, [1, size, size, 3]);
  } else {
    const planes = new Float32Array(3 * pixels);
    const blueFirst = student.contract.colorOrder === 'bgr';
    for (let c = 0; c < 3; c++) {
      const from = blueFirst ? 2 - c : c;
      for (let i = 0; i < pixels; i++) planes[c * pixels + i] = (rgba[4 * i + from] - mean[c]) / std[c];
    }

    tensor = new ort.Tensor('float32', planes, [1, 3, size, size]);
  }

  const outputs = await student.session.run({ [student.input]: tensor });
  return outputs[student.session.outputNames[0]].data;
}

/** The cosine of two embeddings. */
export function similarity(a, b) {
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }

  return ab / Math.sqrt(aa * bb);
}
