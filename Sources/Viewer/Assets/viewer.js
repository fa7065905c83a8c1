// One study: its series, the image, and what hand and keyboard do with it.
import { Arriving } from './arriving.js';
import { showAttributes } from './attributes.js';
import { framesOf, side } from './dicom.js';
import { Frames } from './frames.js';
import { Stage } from './stage.js';
import { date, element, getJSON, number, personName, phrases, root, value } from './web.js';

const byID = (id) => document.getElementById(id);
const study = decodeURIComponent(location.pathname.split('/').pop());
const stageBox = byID('stage');
const stage = new Stage(byID('canvas'));
/** While a transfer brings the study; then it is like any other. */
let arriving = Arriving.here();
const address = (uid, instance) => arriving?.address(instance) ?? `${root}/studies/${study}/series/${uid}/instances/${instance}`;
const frames = new Frames(address, (index) => index === current && show());
const slider = byID('slider');
const preset = byID('preset');
let seriesList = [];
let series;
let current = 0;
let tool = 'window';
let timer;
let drawing = false;

// MARK: Series

async function start() {
  try {
    if (arriving) await arrive();
    await listSeries();
    if (!seriesList.length) throw new Error(phrases.notFound);
    tell();
    if (arriving) setTimeout(follow, pauseOfArrival);
    await openFirst();
  } catch (error) {
    fail(error, start);
  }
}

async function listSeries() {
  const found = arriving?.series ?? await getJSON(`${root}/studies/${study}/series`);
  found.sort((a, b) => (number(a, '00200011') ?? 0) - (number(b, '00200011') ?? 0));
  const isSame = arriving && found.length === seriesList.length;
  seriesList = found;
  if (isSame) {
    for (const [index, button] of byID('series').querySelectorAll('button').entries()) {
      button.querySelector('.label').textContent = seriesLabel(found[index], index);
    }
  } else byID('series').replaceChildren(...found.map(seriesButton));
}

async function openFirst() {
  for (const [index] of seriesList.entries()) if (await open(index)) return;
  fail(new Error(phrases.noImages));
}

const seriesLabel = (dataset, index) => `${value(dataset, '00200011') ?? index + 1} · ${value(dataset, '00080060') ?? ''} · ${number(dataset, '00201209') ?? ''} ${phrases.images}`;

async function framesOfSeries(uid) {
  return arriving?.frames.get(uid) ?? framesOf(await getJSON(`${root}/studies/${study}/series/${uid}/metadata`));
}

function mark(index) {
  series = index;
  for (const [other, button] of byID('series').querySelectorAll('button').entries()) {
    button.setAttribute('aria-pressed', String(other === index));
  }
}

function seriesButton(dataset, index) {
  const uid = value(dataset, '0020000E');
  const title = value(dataset, '0008103E') ?? '';
  const button = element('button', '', { type: 'button' });
  const preview = element('span', '', { class: 'preview' });
  const image = element('img', '', {
    src: arriving ? arriving.preview(uid) ?? '' : `${root}/studies/${study}/series/${uid}/thumbnail?viewport=160,116`, alt: '', loading: 'lazy', decoding: 'async',
  });
  image.addEventListener('error', () => preview.replaceChildren(phrases.noPreview));
  preview.append(image);
  button.append(preview, element('span', seriesLabel(dataset, index), { class: 'label' }));
  if (title) button.append(element('br'), title);
  button.addEventListener('click', () => open(index));
  const item = element('li');
  item.append(button);
  return item;
}

/** Opens a series; false when it has no image. */
async function open(index) {
  pause();
  performance.mark('series-asked');
  const uid = value(seriesList[index], '0020000E');
  mark(index);
  frames.clear();
  stage.reset();
  stage.measurements.clear();
  byID('progress').hidden = false;
  byID('message').hidden = true;
  try {
    const list = await framesOfSeries(uid);
    if (value(seriesList[series], '0020000E') !== uid) return true;
    frames.open(uid, list);
    setSlider(list);
    byID('rate').value = String(list[0]?.instance.rate ?? 10);
    if (!list.length) {
      fail(new Error(phrases.noImages));
      return false;
    }
    makePresets(list[0]);
    go(0);
  } catch (error) {
    fail(error, () => open(index));
  }
  return true;
}

function setSlider(list) {
  slider.max = String(Math.max(1, list.length));
  byID('play').disabled = slider.disabled = list.length < 2;
}

// MARK: Arriving

/** Milliseconds between two questions for more. */
const pauseOfArrival = 1000;

/** Reads what has come; whether there is more to show. Once all has come, the study is like any other. */
async function arrive() {
  try {
    return await arriving.read();
  } catch (error) {
    if (error.status !== 404) throw error;
    arriving = undefined;
    history.replaceState(null, '', location.pathname);
    return true;
  }
}

async function follow() {
  const begun = performance.now();
  try {
    const isMore = await arrive();
    tell();
    if (isMore) await grow();
  } catch (error) {
    if (error.status === 401 || !arriving) return fail(error, () => location.reload());
  }
  // A line that is slow to answer is asked less.
  if (arriving) setTimeout(follow, Math.max(pauseOfArrival, 5 * (performance.now() - begun)));
  return undefined;
}

/** Puts what has come beside what is looked at, which stays as it is. */
async function grow() {
  await listSeries();
  if (!seriesList.length) throw new Error(phrases.arrivalEnded);
  const uid = frames.series;
  if (!frames.list.length) return openFirst();
  mark(seriesList.findIndex((one) => value(one, '0020000E') === uid));
  const list = await framesOfSeries(uid);
  if (frames.series !== uid) return undefined;
  const moved = frames.grow(list);
  stage.measurements = new Map([...stage.measurements].map(([index, lines]) => [moved.get(index), lines]));
  setSlider(list);
  return go(moved.get(current) ?? 0);
}

function tell() {
  byID('arriving').hidden = !arriving;
  if (!arriving) return;
  const { there, announced, site } = arriving.progress;
  const text = announced ? phrases.arrivingOf : phrases.arriving;
  byID('arriving').textContent = text.replace('{there}', there).replace('{announced}', announced).replace('{site}', () => site);
}

// MARK: Showing

function go(index) {
  if (!frames.list.length) return;
  current = Math.min(frames.list.length - 1, Math.max(0, index));
  frames.want(current);
  show();
}

/** Draws soon; several changes at once are drawn once. */
function show() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

function draw() {
  const frame = frames.list[current];
  if (!frame) return;
  const held = frames.at(current);
  const failed = frames.failures.get(current);
  // It has just arrived: it will be had from where it is now.
  const failure = arriving && failed?.status === 404 ? undefined : failed;
  byID('progress').hidden = Boolean(held || failure);
  byID('message').hidden = !failure;
  if (failure) fail(failure, () => { byID('message').hidden = true; frames.retry(current); show(); });
  // While one comes, the one before stays.
  if (held || failure || !stage.drawn) stage.draw(frame, held, current);
  stage.drawn = Boolean(held);
  slider.value = String(current + 1);
  const isFrames = frame.count > 1;
  slider.setAttribute('aria-valuetext', `${isFrames ? phrases.frame : phrases.slice} ${current + 1} / ${frames.list.length}`);
  byID('position').textContent = `${current + 1} / ${frames.list.length}`;
  corners(frame, held);
  if (held && !performance.getEntriesByName('image-shown').length) performance.mark('image-shown');
}

function fail(error, again) {
  if (error.status === 401) location.href = '/';
  const box = byID('message');
  byID('progress').hidden = true;
  const text = error.status ? `${phrases.cannotShow}: ${error.message}` : error.message;
  box.querySelector('p').textContent = error.message === 'short' ? phrases.cannotShow : text;
  const button = box.querySelector('button');
  button.hidden = !again;
  button.onclick = () => again();
  box.hidden = false;
}

function corners(frame, held) {
  const { dataset } = frame.instance;
  const lines = (...parts) => parts.filter(Boolean).join('\n');
  const subject = personName(dataset, '00100010');
  byID('subject').textContent = lines(subject, value(dataset, '00100020')).replace('\n', ' · ');
  byID('corner-top-left').textContent = lines(
    subject, value(dataset, '00100020'), [date(value(dataset, '00100030')), value(dataset, '00100040')].filter(Boolean).join(' '));
  byID('corner-top-right').textContent = lines(
    value(dataset, '00080080'), date(value(dataset, '00080020')), value(dataset, '00081030'), value(dataset, '0008103E'));
  byID('corner-bottom-left').textContent = lines(
    `${frame.count > 1 ? phrases.frame : phrases.image} ${current + 1} / ${frames.list.length}`,
    frame.place === undefined ? '' : `${phrases.slice} ${frame.place.toFixed(1)} mm`,
    frame.thickness ? `${phrases.thickness} ${Number(frame.thickness.toFixed(2))} mm` : '',
    tool === 'measure' ? phrases.measureHint : '');
  const shown = held?.pixels && stage.windowOf(frame, held);
  byID('corner-bottom-right').textContent = lines(
    shown ? `${phrases.windowLabel} ${round(shown.center)} / ${round(shown.width)}` : held ? phrases.rendered : '',
    `${phrases.zoomLabel} ${Math.round((stage.scale(frame) / (stage.ratio ?? 1)) * 100)} %`,
    value(dataset, '00282110') === '01' ? phrases.lossy : '');
  sides(frame);
}

const round = (held) => (Math.abs(held) < 10 ? Number(held.toFixed(2)) : Math.round(held));

/** The patient's sides at the edges of the image, as it is turned now. */
function sides(frame) {
  const names = ['right', 'bottom', 'left', 'top'];
  if (!frame.orientation) {
    for (const name of names) byID(`side-${name}`).textContent = '';
    return;
  }
  const [row, column] = [frame.orientation.slice(0, 3), frame.orientation.slice(3, 6)];
  const turn = (direction, isTurned) => direction.map((part) => (isTurned ? -part : part));
  const right = turn(row, stage.flip.x);
  const down = turn(column, stage.flip.y);
  const around = [right, down, turn(right, true), turn(down, true)];
  for (const [index, direction] of around.entries()) {
    byID(`side-${names[(index + stage.quarter) % 4]}`).textContent = side(direction);
  }
}

// MARK: Window

const ct = [
  ['softTissue', 40, 400], ['lung', -600, 1500], ['bone', 400, 1800], ['brain', 40, 80], ['mediastinum', 50, 350], ['liver', 60, 160],
];
let presets = [];

function makePresets(frame) {
  presets = frame.windows.map((held, index) => ({ ...held, name: held.name || `${phrases.ownWindow} ${frame.windows.length > 1 ? index + 1 : ''}` }));
  if (!presets.length) presets.push({ name: phrases.wholeRange });
  else if (frame.instance.isLocal) presets.push({ name: phrases.wholeRange, isRange: true });
  if (frame.instance.modality === 'CT' && frame.instance.isLocal) {
    presets.push(...ct.map(([name, center, width]) => ({ name: phrases[name], center, width, shape: 'LINEAR' })));
  }
  preset.replaceChildren(...presets.map((held, index) => element('option', `${index} ${held.name}`, { value: index })));
  preset.disabled = !frame.instance.isLocal;
}

function choosePreset(index) {
  const chosen = presets[index];
  const held = frames.at(current);
  if (!chosen || preset.disabled) return;
  preset.value = String(index);
  if (chosen.isRange && held?.pixels) {
    const frame = { ...frames.list[current], windows: [] };
    stage.window = undefined;
    stage.window = stage.windowOf(frame, held);
  } else stage.window = index === 0 ? undefined : chosen.width ? chosen : undefined;
  show();
}

function shiftWindow(center, width) {
  const frame = frames.list[current];
  const held = frames.at(current);
  if (!frame || !held?.pixels) return;
  const old = stage.windowOf(frame, held);
  stage.window = { ...old, center: old.center + center, width: Math.max(1, old.width + width) };
  show();
}

/** Values for one pixel of the screen, fine for narrow windows. */
function windowStep() {
  const frame = frames.list[current];
  const held = frame && frames.at(current);
  return held?.pixels ? Math.max(0.5, stage.windowOf(frame, held).width / 250) : 0;
}

// MARK: Cine

function play() {
  if (frames.list.length < 2) return;
  byID('play').textContent = phrases.pause;
  let due = performance.now();
  const step = (now) => {
    const rate = Math.min(60, Math.max(1, Number(byID('rate').value) || 10));
    if (now >= due) {
      const next = (current + 1) % frames.list.length;
      // A frame that has not come is waited for, not left out; one that failed is passed over.
      if (frames.has(next) || frames.failures.has(next)) {
        due = Math.max(due + 1000 / rate, now - 1000 / rate);
        go(next);
      } else {
        frames.want(current);
      }
    }
    timer = requestAnimationFrame(step);
  };
  timer = requestAnimationFrame(step);
}

function pause() {
  cancelAnimationFrame(timer);
  timer = undefined;
  byID('play').textContent = phrases.play;
}

const togglePlay = () => (timer ? pause() : play());

// MARK: Actions

const actions = {
  fit() { stage.zoom = undefined; stage.pan = { x: 0, y: 0 }; },
  actual() { stage.zoom = stage.ratio; stage.pan = { x: 0, y: 0 }; },
  invert() { stage.isInverted = !stage.isInverted; },
  rotate() {
    stage.quarter = (stage.quarter + 1) % 4;
    stage.pan = { x: -stage.pan.y, y: stage.pan.x };
  },
  // As it is seen: turned by a quarter, the image's own other axis is mirrored.
  'flip-horizontal'() { flipSeen('x', 'y'); },
  'flip-vertical'() { flipSeen('y', 'x'); },
  clear() { stage.measurements.delete(current); stage.cross = undefined; },
  reset() { stage.reset(); preset.value = '0'; },
  metadata() { showAttributes(address(frames.series, frames.list[current].instance.uid)); },
  help() { byID('keys').replaceChildren(...phrases.keysHelp.split(' · ').map((one) => element('li', one))); byID('help').showModal(); },
};

function flipSeen(straight, turned) {
  const axis = stage.quarter % 2 ? turned : straight;
  stage.flip[axis] = !stage.flip[axis];
  stage.pan[straight] = -stage.pan[straight];
}

function act(name) {
  if (!frames.list.length && name !== 'help') return;
  actions[name]();
  show();
}

function choose(name) {
  tool = name;
  for (const button of document.querySelectorAll('[data-tool]')) {
    button.setAttribute('aria-pressed', String(button.dataset.tool === name));
  }
  stage.cross = undefined;
  show();
}

for (const button of document.querySelectorAll('[data-action]')) button.addEventListener('click', () => act(button.dataset.action));
for (const button of document.querySelectorAll('[data-tool]')) button.addEventListener('click', () => choose(button.dataset.tool));
preset.addEventListener('change', () => choosePreset(Number(preset.value)));
slider.addEventListener('input', () => go(Number(slider.value) - 1));
byID('play').addEventListener('click', togglePlay);
new ResizeObserver(() => { stage.drawn = false; show(); }).observe(stageBox);

// MARK: Hand

const pointers = new Map();
let drag;

stageBox.addEventListener('pointerdown', (event) => {
  if (event.target.closest('#message') || !frames.list.length) return;
  stageBox.focus({ preventScroll: true });
  stageBox.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  const frame = frames.list[current];
  drag = { tool: event.button === 1 ? 'pan' : event.button === 2 ? 'zoom' : tool, x: event.clientX, y: event.clientY, rest: 0 };
  if (pointers.size === 2) {
    if (drag.line) stage.measurements.get(current).pop();
    drag = { tool: 'pinch', ...pinch() };
  } else if (drag.tool === 'measure') {
    const a = stage.place(frame, event.clientX, event.clientY);
    drag.line = { a, b: a };
    addLine(drag.line);
  }
});

stageBox.addEventListener('pointermove', (event) => {
  if (!pointers.has(event.pointerId) || !drag) return;
  pointers.set(event.pointerId, event);
  const frame = frames.list[current];
  if (drag.tool === 'pinch') {
    const now = pinch();
    stage.zoomBy(frame, now.distance / drag.distance, now.x, now.y);
    stage.pan = { x: stage.pan.x + (now.x - drag.x) * stage.ratio, y: stage.pan.y + (now.y - drag.y) * stage.ratio };
    drag = { tool: 'pinch', ...now };
    return show();
  }
  const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
  drag.x = event.clientX;
  drag.y = event.clientY;
  if (drag.tool === 'window') shiftWindow(dy * windowStep(), dx * windowStep());
  if (drag.tool === 'pan') stage.pan = { x: stage.pan.x + dx * stage.ratio, y: stage.pan.y + dy * stage.ratio };
  if (drag.tool === 'zoom') stage.zoomBy(frame, Math.exp(-dy / 150));
  if (drag.tool === 'scroll') scrollBy(dy / Math.max(3, Math.min(20, stageBox.clientHeight / frames.list.length)));
  if (drag.line) drag.line.b = stage.place(frame, event.clientX, event.clientY);
  return show();
});

for (const name of ['pointerup', 'pointercancel']) {
  stageBox.addEventListener(name, (event) => {
    pointers.delete(event.pointerId);
    if (drag?.line && drag.line.a === drag.line.b) stage.measurements.get(current).pop();
    drag = undefined;
    show();
  });
}
stageBox.addEventListener('contextmenu', (event) => event.preventDefault());

stageBox.addEventListener('wheel', (event) => {
  event.preventDefault();
  const frame = frames.list[current];
  if (!frame) return;
  if (event.ctrlKey) stage.zoomBy(frame, Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
  else scrollBy(event.deltaMode === 0 && Math.abs(event.deltaY) < 60 ? event.deltaY / 40 : Math.sign(event.deltaY));
  show();
}, { passive: false });

let travel = 0;

/** Small movements add up to whole slices. */
function scrollBy(amount) {
  travel += amount;
  const whole = Math.trunc(travel);
  travel -= whole;
  if (whole) go(current + whole);
}

function pinch() {
  const [a, b] = [...pointers.values()];
  return { distance: Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)), x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2 };
}

function addLine(line) {
  if (!stage.measurements.has(current)) stage.measurements.set(current, []);
  stage.measurements.get(current).push(line);
}

// MARK: Keyboard

let keyLine;

function measureKey(event) {
  const frame = frames.list[current];
  const { rows, columns } = frame.instance;
  const step = event.shiftKey ? 10 : 1;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (moves[event.key]) {
    stage.cross ??= { x: columns / 2, y: rows / 2 };
    const [dx, dy] = moves[event.key];
    stage.cross = { x: Math.min(columns, Math.max(0, stage.cross.x + dx)), y: Math.min(rows, Math.max(0, stage.cross.y + dy)) };
    if (keyLine) keyLine.b = stage.cross;
  } else if (event.key === 'Enter' && stage.cross) {
    if (keyLine) keyLine = undefined;
    else addLine(keyLine = { a: stage.cross, b: stage.cross });
  } else return false;
  show();
  return true;
}

const keys = {
  ArrowUp: () => go(current - 1), ArrowDown: () => go(current + 1), ArrowLeft: () => go(current - 1), ArrowRight: () => go(current + 1),
  PageUp: () => go(current - 10), PageDown: () => go(current + 10), Home: () => go(0), End: () => go(frames.list.length - 1),
  ' ': togglePlay, ',': () => shiftWindow(-10 * windowStep(), 0), '.': () => shiftWindow(10 * windowStep(), 0),
  '<': () => shiftWindow(0, -10 * windowStep()), '>': () => shiftWindow(0, 10 * windowStep()),
  '+': () => stage.zoomBy(frames.list[current], 1.2), '=': () => stage.zoomBy(frames.list[current], 1.2),
  '-': () => stage.zoomBy(frames.list[current], 1 / 1.2),
  f: () => act('fit'), o: () => act('actual'), i: () => act('invert'), r: () => act('rotate'), h: () => act('flip-horizontal'),
  v: () => act('flip-vertical'), t: () => act('metadata'), '?': () => act('help'), Delete: () => act('clear'), Escape: () => act('reset'),
  w: () => choose('window'), p: () => choose('pan'), z: () => choose('zoom'), s: () => choose('scroll'), m: () => choose('measure'),
  n: () => open(Math.min(seriesList.length - 1, series + 1)), b: () => open(Math.max(0, series - 1)),
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const name = event.target.tagName;
  if (name === 'INPUT' || name === 'SELECT' || name === 'TEXTAREA') return;
  if ((name === 'BUTTON' || name === 'A') && (event.key === ' ' || event.key === 'Enter')) return;
  if (!frames.list.length && event.key !== '?') return;
  if (tool === 'measure' && measureKey(event)) return event.preventDefault();
  const pan = { ArrowLeft: [30, 0], ArrowRight: [-30, 0], ArrowUp: [0, 30], ArrowDown: [0, -30] }[event.key];
  if (event.shiftKey && pan) stage.pan = { x: stage.pan.x + pan[0] * stage.ratio, y: stage.pan.y + pan[1] * stage.ratio };
  else if (/^\d$/.test(event.key)) choosePreset(Number(event.key));
  else if (keys[event.key]) keys[event.key]();
  else return undefined;
  event.preventDefault();
  return show();
});

start();
