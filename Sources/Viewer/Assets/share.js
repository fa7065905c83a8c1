// Takes a link's code out of the address's fragment, which no server and no log sees, into the form.
const match = /^#([0-9a-f]{64})$/.exec(location.hash);
if (match) {
  history.replaceState(null, '', location.pathname + location.search);
  document.getElementById('code').value = match[1];
  document.getElementById('code-field').hidden = true;
  document.getElementById('secret').focus();
}
