// The table of an instance's attributes, with a filter.
import { element, getJSON, phrases, value } from './web.js';

/** Rows that are listed. */
const rowLimit = 5000;
const textLimit = 400;
const dialog = document.getElementById('metadata');
const filter = document.getElementById('filter');
let keywords;

/** @param address of the instance. */
export async function showAttributes(address) {
  const rows = dialog.querySelector('tbody');
  rows.replaceChildren(message(phrases.loading));
  if (!dialog.open) dialog.showModal();
  filter.focus();
  try {
    keywords ??= await (await fetch('/assets/dictionary.json')).json();
    const [dataset] = await getJSON(`${address}/metadata`);
    const list = [];
    collect(dataset, 0, list);
    rows.replaceChildren(...list);
    if (list.length >= rowLimit) rows.append(message(phrases.truncated));
    apply();
  } catch (error) {
    rows.replaceChildren(message(error.message));
  }
}

function message(text) {
  const row = element('tr');
  row.append(element('td', text, { colspan: 4 }));
  return row;
}

function collect(dataset, depth, rows) {
  for (const tag of Object.keys(dataset).sort()) {
    if (rows.length >= rowLimit) return;
    const held = dataset[tag];
    const row = element('tr');
    row.append(
      element('td', `${'› '.repeat(depth)}(${tag.slice(0, 4)},${tag.slice(4)})`), element('td', held.vr),
      element('td', keywords[tag] ?? ''), element('td', shown(held)));
    rows.push(row);
    if (held.vr === 'SQ') for (const item of held.Value ?? []) collect(item, depth + 1, rows);
  }
}

function shown(held) {
  if (held.vr === 'SQ') return `[${held.Value?.length ?? 0}]`;
  if (held.BulkDataURI !== undefined || held.InlineBinary !== undefined) return `‹${phrases.binary}›`;
  const text = (held.Value ?? [])
    .map((one) => (one && typeof one === 'object' ? Object.values(one).join(' = ') : one ?? '')).join(' \\ ');
  return text.length > textLimit ? `${text.slice(0, textLimit)}…` : text;
}

function apply() {
  const wanted = filter.value.trim().toLowerCase();
  for (const row of dialog.querySelectorAll('tbody tr')) {
    row.hidden = wanted !== '' && !row.textContent.toLowerCase().includes(wanted);
  }
}

filter.addEventListener('input', apply);
filter.addEventListener('keydown', (event) => {
  if (event.key === 'Enter') event.preventDefault();
});
