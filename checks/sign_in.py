"""Signs in like a browser, and prints the line that sets the session's cookie.

`sign_in.py HOST:PORT AUTHORITY EMAIL PASSWORD`
"""

import html
import http.client
import re
import ssl
import sys
import urllib.parse


def main() -> None:
    address, authority, email, password = sys.argv[1:]
    host, port = address.rsplit(":", 1)
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=20)
    connection.request("GET", "/sign-in", headers={"Accept": "text/html"})
    page = connection.getresponse()
    body = page.read().decode()
    cookies = "; ".join(line.split(";", 1)[0] for line in page.headers.get_all("Set-Cookie") or [])
    hidden = re.search(r'<input[^>]*type="hidden"[^>]*>', body)
    name, value = (re.search(rf'{key}="([^"]*)"', hidden.group()).group(1) for key in ("name", "value"))
    form = urllib.parse.urlencode({name: html.unescape(value), "email": email, "password": password})
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": cookies,
        "Origin": f"https://{address}",
        "Sec-Fetch-Site": "same-origin",
    }
    connection.request("POST", "/sign-in", body=form, headers=headers)
    answer = connection.getresponse()
    answer.read()
    for line in answer.headers.get_all("Set-Cookie") or []:
        if line.startswith("__Host-session="):
            print(line)
            return
    sys.exit(f"nobody was signed in: status {answer.status}")


main()
