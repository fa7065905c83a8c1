// Takes the token out of the address's fragment, which no server and no log sees, and signs in with it.
import { phrases } from './web.js';

const match = /^#token=([\w.-]+)$/.exec(location.hash);
if (match) {
  history.replaceState(null, '', location.pathname + location.search);
  signIn(match[1]);
}

async function signIn(token) {
  const status = document.getElementById('status');
  status.textContent = phrases.signingIn;
  try {
    const response = await fetch('/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token }),
    });
    if (response.ok) location.replace('/');
    else status.textContent = phrases.tokenRefused;
  } catch {
    status.textContent = phrases.offline;
  }
}
