// Draws one frame with its window, zoom and measurements. Places are in pixels of the image unless said otherwise.
import { length, paint, range } from './dicom.js';
import { phrases } from './web.js';

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.picture = document.createElement('canvas');
    this.measurements = new Map();
    this.reset();
  }

  reset() {
    this.zoom = undefined;
    this.pan = { x: 0, y: 0 };
    this.quarter = 0;
    this.flip = { x: false, y: false };
    this.isInverted = false;
    /** What the reader chose; undefined follows the image. */
    this.window = undefined;
    this.painted = undefined;
    this.cross = undefined;
  }

  /** The window in force for a frame. */
  windowOf(frame, held) {
    if (this.window) return this.window;
    if (frame.windows.length) return frame.windows[0];
    if (!held?.pixels) return undefined;
    held.range ??= range(frame, held.pixels);
    return { center: (held.range[0] + held.range[1] + 1) / 2, width: Math.max(1, held.range[1] - held.range[0] + 1), shape: 'LINEAR' };
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = this.canvas.getBoundingClientRect();
    this.ratio = ratio;
    const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
  }

  /** Device pixels for a pixel of the image's width, when it just fits. */
  fitZoom(frame) {
    const [w, h] = [frame.instance.columns, frame.instance.rows * frame.aspect];
    const [width, height] = this.quarter % 2 ? [h, w] : [w, h];
    return Math.min(this.canvas.width / width, this.canvas.height / height);
  }

  scale(frame) {
    return this.zoom ?? this.fitZoom(frame);
  }

  /** From the image to the canvas. */
  matrix(frame) {
    const scale = this.scale(frame);
    return new DOMMatrix()
      .translate(this.canvas.width / 2 + this.pan.x, this.canvas.height / 2 + this.pan.y)
      .rotate(this.quarter * 90)
      .scale(scale * (this.flip.x ? -1 : 1), scale * frame.aspect * (this.flip.y ? -1 : 1))
      .translate(-frame.instance.columns / 2, -frame.instance.rows / 2);
  }

  /** The place in the image of a place of the page. */
  place(frame, clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const point = new DOMPoint((clientX - box.left) * this.ratio, (clientY - box.top) * this.ratio);
    return this.matrix(frame).inverse().transformPoint(point);
  }

  zoomBy(frame, factor, clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const x = ((clientX ?? box.left + box.width / 2) - box.left) * this.ratio - this.canvas.width / 2;
    const y = ((clientY ?? box.top + box.height / 2) - box.top) * this.ratio - this.canvas.height / 2;
    const old = this.scale(frame);
    this.zoom = Math.min(64, Math.max(0.02, old * factor));
    const real = this.zoom / old;
    this.pan = { x: x - (x - this.pan.x) * real, y: y - (y - this.pan.y) * real };
  }

  draw(frame, held, key) {
    this.resize();
    const { context, canvas } = this;
    context.resetTransform();
    context.fillStyle = '#000';
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!held) return;
    const matrix = this.matrix(frame);
    context.setTransform(matrix);
    context.imageSmoothingEnabled = this.scale(frame) < 8 * this.ratio;
    context.imageSmoothingQuality = 'high';
    const source = held.pixels ? this.paintedPicture(frame, held) : held.bitmap;
    if (this.isInverted && held.bitmap) context.filter = 'invert(1)';
    context.drawImage(source, 0, 0, frame.instance.columns, frame.instance.rows);
    context.filter = 'none';
    context.resetTransform();
    for (const line of this.measurements.get(key) ?? []) this.drawLine(frame, matrix, line);
    if (this.cross) this.drawCross(matrix.transformPoint(new DOMPoint(this.cross.x, this.cross.y)));
  }

  paintedPicture(frame, held) {
    const shown = this.windowOf(frame, held);
    const mark = [shown.center, shown.width, shown.shape, this.isInverted].join();
    if (this.painted?.held === held && this.painted.mark === mark) return this.picture;
    const { rows, columns } = frame.instance;
    if (this.image?.width !== columns || this.image?.height !== rows) {
      this.picture.width = columns;
      this.picture.height = rows;
      this.image = new ImageData(columns, rows);
    }
    paint(frame, held.pixels, shown, this.isInverted, new Uint32Array(this.image.data.buffer));
    this.picture.getContext('2d').putImageData(this.image, 0, 0);
    this.painted = { held, mark };
    return this.picture;
  }

  drawLine(frame, matrix, { a, b }) {
    const { context, ratio } = this;
    const [from, to] = [a, b].map((p) => matrix.transformPoint(new DOMPoint(p.x, p.y)));
    context.strokeStyle = '#ffd479';
    context.lineWidth = 1.5 * ratio;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    for (const end of [from, to]) {
      context.moveTo(end.x + 4 * ratio, end.y);
      context.arc(end.x, end.y, 4 * ratio, 0, 2 * Math.PI);
    }
    context.stroke();
    context.font = `${14 * ratio}px sans-serif`;
    const text = lengthText(frame, a, b);
    const width = context.measureText(text).width;
    const x = Math.min(Math.max(4, to.x + 8 * ratio), this.canvas.width - width - 6 * ratio);
    const y = Math.min(Math.max(16 * ratio, to.y - 6 * ratio), this.canvas.height - 6 * ratio);
    context.fillStyle = '#000a';
    context.fillRect(x - 3 * ratio, y - 14 * ratio, width + 6 * ratio, 18 * ratio);
    context.fillStyle = '#ffd479';
    context.fillText(text, x, y);
  }

  drawCross(point) {
    const { context, ratio } = this;
    context.strokeStyle = '#7cc0d2';
    context.lineWidth = ratio;
    context.beginPath();
    context.moveTo(point.x - 10 * ratio, point.y);
    context.lineTo(point.x + 10 * ratio, point.y);
    context.moveTo(point.x, point.y - 10 * ratio);
    context.lineTo(point.x, point.y + 10 * ratio);
    context.stroke();
  }
}

export function lengthText(frame, a, b) {
  const found = length(frame, a, b);
  return `${found.value.toFixed(1)} ${phrases[found.unit]}`;
}
