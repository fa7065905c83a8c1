// Keeps the page of transfers up to date, without taking the reader's place from him.

const pause = 5000;
/** Refreshes without a sign of anybody: a page that was left open keeps no session alive. */
const patience = 120;
let left = patience;
let timer;

async function refresh() {
  left -= 1;
  try {
    const response = await fetch(location.href, { credentials: 'same-origin' });
    if (response.redirected || response.status === 403) return location.assign('/');
    if (response.ok) {
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById('transfers');
      if (fresh) put(fresh);
    }
  } catch { /* The service may be starting again. */ }
  return plan();
}

function put(fresh) {
  const table = document.getElementById('transfers');
  if (table.innerHTML === fresh.innerHTML) return;
  const link = document.activeElement?.closest('#transfers a')?.getAttribute('href');
  table.replaceChildren(...fresh.childNodes);
  for (const one of table.querySelectorAll('a')) if (one.getAttribute('href') === link) one.focus({ preventScroll: true });
}

function plan() {
  clearTimeout(timer);
  if (left > 0 && !document.hidden) timer = setTimeout(refresh, pause);
}

for (const sign of ['pointermove', 'keydown', 'visibilitychange']) {
  document.addEventListener(sign, () => {
    const isAsleep = left <= 0 || sign === 'visibilitychange';
    left = patience;
    if (isAsleep) plan();
  });
}
plan();
