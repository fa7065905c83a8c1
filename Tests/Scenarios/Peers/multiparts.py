"""Reads multipart answers."""
import re


def parts(answer):
    """Head fields and bytes of each part. An answer that breaks off is an error. RFC 2046 section 5.1.1."""
    boundary = b"--" + re.search(r'boundary="?([^";]+)', answer.headers["Content-Type"])[1].encode()
    if not answer.content.endswith(b"\r\n" + boundary + b"--\r\n"):
        raise ValueError("an answer has no last boundary")
    result = []
    for part in (b"\r\n" + answer.content).split(b"\r\n" + boundary)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        result.append((head.decode(), data))
    return result
