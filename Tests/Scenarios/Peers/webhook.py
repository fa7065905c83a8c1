"""Takes alerts as a web server: answers 503 to the first, checks signatures, and prints what came as JSON lines."""
import hashlib
import hmac
import http.server
import json
import sys

secret = open(sys.argv[1], 'rb').read().strip()
refusals = [503]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        parts = dict(part.split('=', 1) for part in self.headers['X-Huizhen-Signature'].split(','))
        wanted = hmac.new(secret, parts['t'].encode() + b'.' + body, hashlib.sha256).hexdigest()
        status = refusals.pop() if refusals else 204
        self.send_response(status)
        self.end_headers()
        print('alert ' + json.dumps({
            'status': status, 'good': hmac.compare_digest(wanted, parts['v1']), **json.loads(body)}), flush=True)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
print(f'port {server.server_port}', flush=True)
server.serve_forever()
