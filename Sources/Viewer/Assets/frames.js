// Fetches frames and keeps them within a bound of memory: the one that is looked at first, then its neighbours.
import { get } from './web.js';
import { pixelsOf } from './dicom.js';

/** Bytes of decoded frames that are kept. */
export const byteCountLimit = 512 * 1024 * 1024;
/** Requests under way at a time; browsers open no more connections to one host. */
const requestLimit = 6;

const native = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1';

export class Frames {
  /**
   * @param address of an instance, by series and instance.
   * @param changed called with the index of a frame that has come or failed.
   */
  constructor(address, changed) {
    this.address = address;
    this.changed = changed;
    this.clear();
  }

  clear() {
    this.stop?.abort();
    this.stop = new AbortController();
    for (const held of this.held?.values() ?? []) held.bitmap?.close();
    /** By index; the least recently used first. */
    this.held = new Map();
    this.failures = new Map();
    this.under = new Set();
    this.byteCount = 0;
    this.series = undefined;
    this.list = [];
    this.wanted = 0;
    this.direction = 1;
  }

  open(series, list) {
    this.clear();
    this.series = series;
    this.list = list;
  }

  /** Takes a list in which the frames have other places. Returns these by the former ones. */
  grow(list) {
    const places = new Map(list.map((frame, index) => [key(frame), index]));
    const moved = new Map(this.list.map((frame, index) => [index, places.get(key(frame))]));
    const held = [...this.held];
    this.held = new Map();
    for (const [index, one] of held) {
      const place = moved.get(index);
      if (place !== undefined) this.held.set(place, one);
      else {
        this.byteCount -= one.byteCount;
        one.bitmap?.close();
      }
    }
    this.under = new Set([...this.under].map((index) => moved.get(index)).filter((place) => place !== undefined));
    // What could not be had may be there by now.
    this.failures.clear();
    this.list = list;
    this.wanted = moved.get(this.wanted) ?? 0;
    return moved;
  }

  /** What is held of a frame: {pixels} or {bitmap}. */
  at(index) {
    const held = this.held.get(index);
    if (held) {
      this.held.delete(index);
      this.held.set(index, held);
    }
    return held;
  }

  has(index) {
    return this.held.has(index);
  }

  /** Makes a frame the one that matters; neighbours follow in the direction of travel. */
  want(index) {
    const step = index - this.wanted;
    if (step) this.direction = Math.abs(step) > this.list.length / 2 ? this.direction : Math.sign(step);
    this.wanted = index;
    this.fill();
  }

  retry(index) {
    this.failures.delete(index);
    this.fill();
  }

  size(frame) {
    const { instance } = frame;
    return instance.rows * instance.columns * (instance.isLocal && !frame.isRendered ? instance.bitsAllocated / 8 : 4);
  }

  /** The next frame to fetch: the wanted one, then outwards, twice as far ahead as behind. */
  next() {
    const count = this.list.length;
    if (!count) return undefined;
    const room = Math.max(1, Math.floor((byteCountLimit * 0.9) / Math.max(1, this.size(this.list[this.wanted]))));
    let seen = 0;
    for (let step = 0; step < count && seen < room; step++) {
      for (const index of step === 0 ? [this.wanted] : [
        this.wanted + this.direction * (2 * step - 1), this.wanted + this.direction * 2 * step, this.wanted - this.direction * step,
      ]) {
        if (index < 0 || index >= count) continue;
        seen += 1;
        if (!this.held.has(index) && !this.under.has(index) && !this.failures.has(index)) return index;
      }
    }
    return undefined;
  }

  fill() {
    if (!this.list.length) return;
    while (this.under.size < requestLimit) {
      // Until the first one is here, nothing else takes from its way.
      if (this.held.size === 0 && this.under.size > 0) return;
      const index = this.next();
      if (index === undefined) return;
      this.fetch(index);
    }
  }

  async fetch(index) {
    const { stop } = this;
    const frame = this.list[index];
    this.under.add(index);
    let held;
    let failure;
    try { held = await this.load(frame, stop.signal); } catch (error) { failure = error; }
    // The list may be another by now, and the frame elsewhere in it.
    const place = this.list[index] === frame ? index : this.list.findIndex((one) => key(one) === key(frame));
    if (this.stop !== stop || place < 0 || failure?.name === 'AbortError') return held?.bitmap?.close();
    if (held) this.keep(place, held);
    else this.failures.set(place, failure);
    this.under.delete(place);
    this.changed(place);
    this.fill();
    return undefined;
  }

  async load(frame, signal) {
    const { instance } = frame;
    const path = `${this.address(this.series, instance.uid)}/frames/${frame.number}`;
    if (instance.isLocal && !frame.isRendered) {
      try {
        const response = await get(path, native, signal);
        return { pixels: pixelsOf(instance, await body(response)) };
      } catch (error) {
        // What cannot be had as pixels may still be had as a picture.
        if (error.status !== 406 && error.status !== 501 && error.message !== 'short') throw error;
        frame.isRendered = true;
      }
    }
    const response = await get(`${path}/rendered`, 'image/png, image/jpeg;q=0.9', signal);
    return { bitmap: await createImageBitmap(await response.blob()) };
  }

  keep(index, held) {
    held.byteCount = held.pixels?.byteLength ?? held.bitmap.width * held.bitmap.height * 4;
    this.held.set(index, held);
    this.byteCount += held.byteCount;
    for (const [old, one] of this.held) {
      if (this.byteCount <= byteCountLimit) break;
      if (old === this.wanted || old === index) continue;
      this.held.delete(old);
      this.byteCount -= one.byteCount;
      one.bitmap?.close();
    }
  }
}

/** What a frame is, in whatever list. */
const key = (frame) => `${frame.instance.uid} ${frame.number}`;

/** The only part of a multipart answer, or the answer itself. RFC 2046 §5.1. */
async function body(response) {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const type = response.headers.get('Content-Type') ?? '';
  if (!type.startsWith('multipart/')) return bytes;
  const head = find(bytes, [13, 10, 13, 10], 0);
  const boundary = /boundary="?([^";]+)/.exec(type)?.[1] ?? '';
  const end = bytes.length - boundary.length - 12;
  const mark = new TextEncoder().encode(`\r\n--${boundary}`);
  const last = find(bytes, mark, Math.max(head + 4, end));
  if (head < 0 || last < 0) throw new Error('short');
  return bytes.slice(head + 4, last);
}

function find(bytes, needle, start) {
  for (let index = start; index + needle.length <= bytes.length; index++) {
    if (needle.every((byte, offset) => bytes[index + offset] === byte)) return index;
  }
  return -1;
}
