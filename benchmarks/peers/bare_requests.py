"""A bare loop of `requests`: fetches the pages, one after the other, and drops them. Usage: bare_requests.py URL."""

import sys

import requests

session, params = requests.Session(), {"page_size": "500"}
while True:
    page = session.get(sys.argv[1] + "admin/identities", params=params)
    page.raise_for_status()
    _ = page.content
    if "next" not in page.links:
        break
    params["page_token"] = page.links["next"]["url"].partition("page_token=")[2]
