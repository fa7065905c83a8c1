// A study while a transfer brings it: what is there, at addresses of its own.
import { framesOf, merged } from './dicom.js';
import { get, getJSON, value } from './web.js';

export class Arriving {
  constructor(transfer) {
    this.root = `/arriving/${transfer}`;
    /** How many instances were read. */
    this.count = 0;
    /** Datasets as a search would answer with, by UID. */
    this.found = new Map();
    this.frames = new Map();
  }

  /** By the transfer that the page's address names; undefined for a study that is there. */
  static here() {
    const transfer = new URLSearchParams(location.search).get('arriving') ?? '';
    return /^[0-9a-f]{32}$/.test(transfer) ? new Arriving(transfer) : undefined;
  }

  address(instance) {
    return `${this.root}/instances/${instance}`;
  }

  get series() {
    return [...this.found.values()];
  }

  /** The address of a picture for a series; what comes first is from its midst. */
  preview(series) {
    const instance = this.frames.get(series)?.find((frame) => frame.isFirst)?.instance.uid;
    return instance && `${this.address(instance)}/thumbnail?viewport=160,116`;
  }

  /** Reads what has come; whether that is anything. Fails with 404 once the study arrives no more. */
  async read() {
    this.progress = await (await get(this.root, 'application/json')).json();
    if (this.progress.there <= this.count) return false;
    const fresh = new Map();
    const datasets = await getJSON(`${this.root}/metadata?from=${this.count}`);
    this.count += datasets.length;
    for (const dataset of datasets) {
      const uid = value(dataset, '0020000E');
      if (!fresh.has(uid)) fresh.set(uid, []);
      fresh.get(uid).push(dataset);
    }
    for (const [uid, list] of fresh) this.add(uid, list);
    return datasets.length > 0;
  }

  add(uid, datasets) {
    const found = this.found.get(uid) ?? { '00201209': { vr: 'IS', Value: [0] } };
    for (const tag of ['0020000E', '0008103E', '00200011', '00080060']) found[tag] ??= datasets[0][tag];
    found['00201209'].Value[0] += datasets.length;
    this.found.set(uid, found);
    const held = this.frames.get(uid) ?? [];
    const frames = framesOf(datasets);
    if (!held.length && frames.length) {
      const first = datasets.map((dataset) => value(dataset, '00080018')).find((one) => frames.some((frame) => frame.instance.uid === one));
      frames.find((frame) => frame.instance.uid === first).isFirst = true;
    }
    this.frames.set(uid, merged([...held, ...frames]));
  }
}
