// The list of studies: QIDO-RS with what the form says. PS3.18 §10.6.
import { date, element, getJSON, number, personName, phrases, root, value, values } from './web.js';

const pageSize = 50;
const form = new URLSearchParams(location.search);
const status = document.getElementById('status');
const table = document.getElementById('studies');
const page = Math.max(1, Number.parseInt(form.get('page') ?? '1', 10) || 1);

// Who opened the address of a token while signed in: it shall not stay in the address bar.
if (location.hash) history.replaceState(null, '', location.pathname + location.search);

function query() {
  const result = new URLSearchParams({ limit: pageSize + 1, offset: (page - 1) * pageSize });
  for (const field of ['StudyDescription', 'ModalitiesInStudy']) result.append('includefield', field);
  const text = (name) => (form.get(name) ?? '').trim();
  const loose = (held) => (/[*?]/.test(held) ? held : `${held}*`);
  if (text('name')) {
    result.set('PatientName', loose(text('name')));
    result.set('fuzzymatching', 'true');
  }
  if (text('id')) result.set('PatientID', loose(text('id')));
  if (text('accession')) result.set('AccessionNumber', loose(text('accession')));
  if (text('modality')) result.set('ModalitiesInStudy', text('modality'));
  const [from, to] = ['from', 'to'].map((name) => text(name).replaceAll('-', ''));
  if (from || to) result.set('StudyDate', `${from}-${to}`);
  return result;
}

function row(study) {
  const address = `/viewer/${encodeURIComponent(value(study, '0020000D'))}`;
  const result = document.createElement('tr');
  const cell = (label, text) => {
    const added = element('td', text, { 'data-label': label });
    result.append(added);
    return added;
  };
  const name = cell(phrases.name, '');
  name.append(element('a', personName(study, '00100010') || value(study, '00100020') || '—', { href: address }));
  cell(phrases.patientID, value(study, '00100020'));
  cell(phrases.sex, value(study, '00100040'));
  cell(phrases.birthDate, date(value(study, '00100030')));
  cell(phrases.studyDate, date(value(study, '00080020')));
  cell(phrases.modality, values(study, '00080061').join(' '));
  cell(phrases.description, value(study, '00081030'));
  cell(phrases.accession, value(study, '00080050'));
  cell(phrases.seriesAndImages, `${number(study, '00201206') ?? '–'} / ${number(study, '00201208') ?? '–'}`);
  result.addEventListener('click', (event) => {
    if (!event.target.closest('a') && !getSelection().toString()) location.href = address;
  });
  return result;
}

function turnPages(hasMore) {
  const address = (number) => {
    const result = new URLSearchParams(form);
    result.set('page', number);
    return `/?${result}`;
  };
  const [previous, next] = ['previous', 'next'].map((id) => document.getElementById(id));
  if (page > 1) previous.href = address(page - 1);
  if (hasMore) next.href = address(page + 1);
  document.getElementById('page').textContent = `${phrases.page} ${page}`;
  document.getElementById('pages').hidden = page === 1 && !hasMore;
}

async function load() {
  status.textContent = phrases.searching;
  try {
    const found = await getJSON(`${root}/studies?${query()}`);
    const shown = found.slice(0, pageSize);
    table.tBodies[0].replaceChildren(...shown.map(row));
    table.hidden = shown.length === 0;
    status.textContent = shown.length ? `${phrases.found} ${shown.length}` : phrases.noStudies;
    turnPages(found.length > pageSize);
  } catch (error) {
    status.textContent = error.message;
    if (error.status === 401) location.reload();
    const again = element('button', phrases.retry, { type: 'button' });
    again.addEventListener('click', load);
    status.append(' ', again);
  }
}

load();
