// Reads what DICOM says about images: order, values, spacing. Knows neither the page nor the network.
import { number, numbers, value, values } from './web.js';

const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** The most frames of a series that are listed. */
export const frameLimit = 100000;

/** The frames of a series in the order they are looked at. */
export function framesOf(datasets) {
  const frames = [];
  const sorted = [...datasets].sort((a, b) => (number(a, '00200013') ?? 0) - (number(b, '00200013') ?? 0));
  for (const dataset of sorted) {
    if (!number(dataset, '00280010') || !number(dataset, '00280011')) continue;
    const instance = instanceOf(dataset);
    const count = Math.max(1, number(dataset, '00280008') ?? 1);
    for (let index = 0; index < count && frames.length < frameLimit; index++) {
      frames.push(frameOf(dataset, instance, index, count));
    }
  }
  return ordered(frames);
}

/** The same for frames of which some were listed before. */
export function merged(frames) {
  const place = (frame) => number(frame.instance.dataset, '00200013') ?? 0;
  return ordered([...frames].sort((a, b) => place(a) - place(b)).slice(0, frameLimit));
}

/** By place along the normal where every place is another; else as they are numbered. PS3.3 §C.7.6.2.1.1. */
function ordered(frames) {
  const first = frames[0];
  if (!first?.orientation) return frames;
  const normal = cross(first.orientation.slice(0, 3), first.orientation.slice(3, 6));
  const places = new Set();
  for (const frame of frames) {
    if (!frame.orientation || !frame.position) return frames;
    const own = cross(frame.orientation.slice(0, 3), frame.orientation.slice(3, 6));
    if (dot(own, normal) < 0.99) return frames;
    frame.place = dot(frame.position, normal);
    places.add(frame.place.toFixed(3));
  }
  return places.size === frames.length ? frames.sort((a, b) => a.place - b.place) : frames;
}

function instanceOf(dataset) {
  const photometric = value(dataset, '00280004') ?? 'MONOCHROME2';
  const bitsAllocated = number(dataset, '00280100') ?? 16;
  const bitsStored = number(dataset, '00280101') ?? bitsAllocated;
  const isGrey = photometric.startsWith('MONOCHROME') && (number(dataset, '00280002') ?? 1) === 1;
  // Lookup tables for the modality, and pixels of unusual sizes, are rendered by the service.
  const isOdd = ![8, 16, 32].includes(bitsAllocated) || dataset['00283000'] !== undefined || !dataset['7FE00010'];
  return {
    uid: value(dataset, '00080018'),
    rows: number(dataset, '00280010'),
    columns: number(dataset, '00280011'),
    photometric, bitsAllocated, bitsStored,
    highBit: number(dataset, '00280102') ?? bitsStored - 1,
    isSigned: number(dataset, '00280103') === 1,
    planar: number(dataset, '00280006') ?? 0,
    isLocal: isGrey && !isOdd,
    isColour: !isGrey,
    isInverted: (photometric === 'MONOCHROME1') !== (value(dataset, '20500020') === 'INVERSE' && photometric !== 'MONOCHROME1'),
    padding: padding(dataset),
    modality: value(dataset, '00080060'),
    regions: regions(dataset),
    rate: rate(dataset),
    dataset: slim(dataset),
  };
}

/** Only what the corners show: metadata of thousands of instances are not kept. */
function slim(dataset) {
  const result = {};
  for (const tag of ['00100010', '00100020', '00100030', '00100040', '00080020', '00080030', '00081030', '0008103E',
    '00080080', '00200011', '00200013', '00080060', '00280030', '00282110']) {
    if (dataset[tag]) result[tag] = dataset[tag];
  }
  return result;
}

function frameOf(dataset, instance, index, count) {
  const shared = values(dataset, '52009229')[0];
  const own = values(dataset, '52009230')[index];
  const group = (tag) => values(own, tag)[0] ?? values(shared, tag)[0];
  const measures = group('00289110') ?? dataset;
  const transformation = group('00289145') ?? dataset;
  return {
    instance, count,
    number: index + 1,
    orientation: numbers(group('00209116') ?? dataset, '00200037', 6),
    position: numbers(group('00209113') ?? dataset, '00200032', 3),
    thickness: number(measures, '00180050'),
    spacing: spacing(measures, dataset),
    aspect: aspect(measures, dataset),
    slope: number(transformation, '00281053') ?? 1,
    intercept: number(transformation, '00281052') ?? 0,
    windows: windows(group('00289132') ?? dataset, dataset),
  };
}

/** Millimetres between rows and between columns, and whether they hold in the patient or at the detector. */
function spacing(measures, dataset) {
  const inPatient = numbers(measures, '00280030', 2);
  if (inPatient) return { row: inPatient[0], column: inPatient[1], isAtDetector: false };
  const atDetector = numbers(dataset, '00181164', 2);
  return atDetector && { row: atDetector[0], column: atDetector[1], isAtDetector: true };
}

/** Height of a pixel over its width. */
function aspect(measures, dataset) {
  const found = numbers(measures, '00280030', 2) ?? numbers(dataset, '00181164', 2) ?? numbers(dataset, '00280034', 2);
  const result = found ? found[0] / found[1] : 1;
  return Number.isFinite(result) && result > 0.01 && result < 100 ? result : 1;
}

/** PS3.3 §C.11.2. */
function windows(macro, dataset) {
  const centers = values(macro, '00281050').map(Number);
  const widths = values(macro, '00281051').map(Number);
  const names = values(macro, '00281055');
  const shape = value(macro, '00281056') ?? 'LINEAR';
  const found = centers
    .map((center, index) => ({ center, width: widths[index], name: names[index], shape }))
    .filter((one) => Number.isFinite(one.center) && one.width > 0);
  if (found.length) return found;
  const descriptor = numbers(values(dataset, '00283010')[0], '00283002', 3);
  if (!descriptor) return [];
  const count = descriptor[0] || 65536;
  return [{ center: descriptor[1] + count / 2, width: count, shape: 'LINEAR' }];
}

/** Values that stand for no image. PS3.3 §C.7.5.1.1.2. */
function padding(dataset) {
  const first = number(dataset, '00280120');
  if (first === undefined) return undefined;
  const last = number(dataset, '00280121') ?? first;
  return [Math.min(first, last), Math.max(first, last)];
}

/** Regions of an ultrasound image that have a scale in centimetres. PS3.3 §C.8.5.5. */
function regions(dataset) {
  return values(dataset, '00186011').flatMap((item) => {
    const edges = ['00186018', '0018601A', '0018601C', '0018601E'].map((tag) => number(item, tag));
    const [x, y] = ['0018602C', '0018602E'].map((tag) => Math.abs(number(item, tag) ?? 0));
    const isLength = number(item, '00186024') === 3 && number(item, '00186026') === 3;
    return isLength && x > 0 && y > 0 && edges.every(Number.isFinite) ? [{ edges, x: x * 10, y: y * 10 }] : [];
  });
}

/** Frames a second that the object asks for. PS3.3 §C.7.6.5. */
function rate(dataset) {
  const vector = numbers(dataset, '00181065', 2)?.slice(1);
  const time = number(dataset, '00181063') ?? (vector && vector.reduce((sum, one) => sum + one, 0) / vector.length);
  const found = number(dataset, '00082144') ?? number(dataset, '00180040') ?? (time > 0 ? 1000 / time : undefined);
  return found > 0 ? Math.min(60, Math.max(1, Math.round(found))) : undefined;
}

/** The length between two places of a frame, and its unit: patient, detector or pixels. */
export function length(frame, a, b) {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const isIn = (region, p) => p.x >= region.edges[0] && p.y >= region.edges[1] && p.x <= region.edges[2] && p.y <= region.edges[3];
  const region = frame.instance.regions.find((one) => isIn(one, a) && isIn(one, b));
  if (region) return { value: Math.hypot(dx * region.x, dy * region.y), unit: 'millimetres' };
  const known = frame.instance.regions.length ? undefined : frame.spacing;
  if (!known) return { value: Math.hypot(dx, dy), unit: 'pixels' };
  return {
    value: Math.hypot(dx * known.column, dy * known.row), unit: known.isAtDetector ? 'atDetector' : 'millimetres',
  };
}

/** Letters of the patient's side a direction points to. PS3.3 §C.7.6.1.1.1. */
export function side(direction) {
  return direction
    .map((part, index) => ({ size: Math.abs(part), letter: ['RL', 'AP', 'FH'][index][part > 0 ? 1 : 0] }))
    .filter((one) => one.size > 0.25)
    .sort((a, b) => b.size - a.size)
    .map((one) => one.letter)
    .join('');
}

/** A grey frame's pixels as they are stored. PS3.5 §8.1. */
export function pixelsOf(instance, bytes) {
  const count = instance.rows * instance.columns;
  const size = instance.bitsAllocated / 8;
  if (bytes.byteLength < count * size) throw new Error('short');
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const kind = size === 1 ? Uint8Array : size === 2 ? Uint16Array : Uint32Array;
  return new kind(aligned.buffer, aligned.byteOffset, count);
}

/** Turns a stored word into its value: only the stored bits count, the rest may be anything. */
function reader(instance) {
  const shift = instance.highBit + 1 - instance.bitsStored;
  const drop = 32 - instance.bitsStored;
  return instance.isSigned ? (word) => ((word >>> shift) << drop) >> drop : (word) => ((word >>> shift) << drop) >>> drop;
}

/** Whether the pixels are looked up in a table of every word. */
const hasTable = (instance) => instance.bitsAllocated <= 16;

/** The least and the greatest value of a frame after its rescaling, padding left out. */
export function range(frame, pixels) {
  const { instance } = frame;
  const read = reader(instance);
  let [least, greatest] = [Infinity, -Infinity];
  for (let index = 0; index < pixels.length; index++) {
    const held = read(pixels[index]);
    if (instance.padding && held >= instance.padding[0] && held <= instance.padding[1]) continue;
    if (held < least) least = held;
    if (held > greatest) greatest = held;
  }
  if (least > greatest) return [0, 1];
  const ends = [least, greatest].map((held) => held * frame.slope + frame.intercept);
  return [Math.min(...ends), Math.max(...ends)];
}

/** The grey, 0 to 255, of a value. PS3.3 §C.11.2.1.2 and §C.11.2.1.3. */
function grey(window) {
  const { center, width, shape } = window;
  if (shape === 'SIGMOID') return (held) => 255 / (1 + Math.exp((-4 * (held - center)) / width));
  if (shape === 'LINEAR_EXACT') return (held) => ((held - center) / width + 0.5) * 255;
  const span = Math.max(width - 1, 1e-6);
  return (held) => ((held - (center - 0.5)) / span + 0.5) * 255;
}

/** Paints a grey frame into RGBA words. */
export function paint(frame, pixels, window, isInverted, words) {
  const { instance } = frame;
  const read = reader(instance);
  const shade = grey(window);
  const flip = instance.isInverted !== isInverted;
  const word = (raw) => {
    const held = read(raw);
    if (instance.padding && held >= instance.padding[0] && held <= instance.padding[1]) return 0xff000000;
    const found = Math.min(255, Math.max(0, Math.round(shade(held * frame.slope + frame.intercept))));
    const level = flip ? 255 - found : found;
    return (0xff000000 | (level << 16) | (level << 8) | level) >>> 0;
  };
  if (!hasTable(instance)) {
    for (let index = 0; index < pixels.length; index++) words[index] = word(pixels[index]);
    return;
  }
  const table = new Uint32Array(1 << instance.bitsAllocated);
  for (let raw = 0; raw < table.length; raw++) table[raw] = word(raw);
  for (let index = 0; index < pixels.length; index++) words[index] = table[pixels[index]];
}
