// What every page's script needs: the phrases, DICOMweb, and DICOM JSON (PS3.18 Annex F).

export const root = '/dicom-web';
export const phrases = JSON.parse(document.getElementById('phrases').textContent);
export const isChinese = document.documentElement.lang.startsWith('zh');

/** An error whose message may be shown. */
export class Failure extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** Fetches; throws a Failure in plain words. */
export async function get(path, accept, signal) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: accept }, credentials: 'same-origin', signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Failure(phrases.offline);
  }
  if (response.ok) return response;
  if (response.status === 401) throw new Failure(phrases.signedOut, 401);
  if (response.status === 404) throw new Failure(phrases.notFound, 404);
  throw new Failure(`${phrases.failed} (${response.status})`, response.status);
}

export async function getJSON(path, signal) {
  const response = await get(path, 'application/dicom+json', signal);
  return response.status === 204 ? [] : response.json();
}

/** All values of an attribute. */
export function values(dataset, tag) {
  return dataset?.[tag]?.Value ?? [];
}

/** Its first value. */
export function value(dataset, tag) {
  return values(dataset, tag)[0];
}

/** Its numbers; undefined unless there are at least so many. */
export function numbers(dataset, tag, count = 1) {
  const found = values(dataset, tag).map(Number);
  return found.length >= count && found.every(Number.isFinite) ? found : undefined;
}

export function number(dataset, tag) {
  return numbers(dataset, tag)?.[0];
}

/** A person's name as it is read in the language of the page. PS3.5 §6.2. */
export function personName(dataset, tag) {
  const name = value(dataset, tag);
  if (!name) return '';
  if (typeof name === 'string') return plainName(name);
  const forms = isChinese
    ? [name.Ideographic, name.Alphabetic, name.Phonetic]
    : [name.Alphabetic, name.Ideographic, name.Phonetic];
  const shown = [...new Set(forms.filter(Boolean).map(plainName))];
  return shown.length > 1 ? `${shown[0]} (${shown[1]})` : shown[0] ?? '';
}

function plainName(text) {
  const isIdeographic = /\p{Script=Han}/u.test(text);
  return text.split('^').filter(Boolean).join(isIdeographic ? '' : ' ');
}

/** 20260131 as 2026-01-31. */
export function date(text) {
  return /^\d{8}$/.test(text ?? '') ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}` : text ?? '';
}

/** An element with text in it: values are never read as markup. */
export function element(name, text = '', attributes = {}) {
  const result = document.createElement(name);
  result.textContent = text;
  for (const [key, held] of Object.entries(attributes)) result.setAttribute(key, held);
  return result;
}
